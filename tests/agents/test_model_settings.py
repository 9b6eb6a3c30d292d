"""The settings of a model."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from agents.errors import ModelSettingsWrong
from agents.model_settings import rates
from agents.openai_model import ModelSettings, open_model
from tests.agents.calls import KEY


def made(**more: object) -> ModelSettings:
    return ModelSettings.model_validate({"base_url": "https://api.openai.com/v1/", "model": "gpt-4o-mini", **more})


def test_a_model_is_named_by_its_host_whatever_the_port() -> None:
    assert made().name == "gpt-4o-mini@api.openai.com"
    assert made(base_url="http://127.0.0.1:8000/v1").name == "gpt-4o-mini@127.0.0.1"


def test_its_rate_is_looked_up_at_its_endpoint_unless_a_price_is_set() -> None:
    assert made().rate.base_url == "https://api.openai.com/v1"
    assert made(price={"input": 1, "output": 2}, thinking=9).rate.thinking == 9


def test_settings_of_one_model_share_a_rate_that_sets_enough_aside() -> None:
    both = [made(thinking=5), made(thinking=900), made(thinking=1), made(model="other")]
    assert {name: rate.thinking for name, rate in rates(both).items()} == {both[0].name: 900, both[3].name: 0}
    with pytest.raises(ModelSettingsWrong, match="two prices"):
        rates([made(), made(price={"input": 1, "output": 1})])


def test_the_examples_of_the_manual_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".config/hypoloop").mkdir(parents=True)
    (tmp_path / ".config/hypoloop/gpu-lab.key").write_text(KEY)
    manual = (Path(__file__).parent.parent.parent / "docs" / "models.md").read_text(encoding="utf-8")
    tables = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", manual, re.DOTALL)]
    found = [ModelSettings.model_validate(model) for table in tables for model in table.get("models", {}).values()]
    assert len(found) >= 7
    for settings in found:
        open_model(settings, {settings.key_env or "": KEY})


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://me:hunter22@api.openai.com/v1", "holds no login"),
        ("https://hunter22@api.openai.com/v1", "holds no login"),
        ("ftp://api.openai.com", "begins with https://"),
        ("api.openai.com/v1", "begins with https://"),
        ("https://", "begins with https://"),
        ("https://host:port/v1", "this is no address"),
        ("https://host/v1?key=hunter22", "leave out what follows"),
        ("http://llm.example.org/v1", "anybody on the way can read the key"),
        ("http://127.0.0.1.nip.io/v1", "anybody on the way"),
        ("http://10.0.0.5/v1", "anybody on the way"),
    ],
)
def test_addresses_that_would_give_the_key_away_are_refused(url: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why) as error:
        made(base_url=url)
    assert "hunter22" not in str(error.value)


@pytest.mark.parametrize("host", ["localhost:11434", "127.0.0.1:8000", "[::1]:8000", "127.9.9.9"])
def test_this_machine_is_reached_over_http(host: str) -> None:
    assert made(base_url=f"http://{host}/v1")


def test_a_network_that_is_trusted_is_reached_over_http() -> None:
    assert made(base_url="http://gpu.lab/v1", allow_http=True)


def test_a_key_comes_from_a_variable() -> None:
    settings = made(key_env="MY_KEY")
    assert KEY not in repr(open_model(settings, {"MY_KEY": f" {KEY}\n"}))
    with pytest.raises(ModelSettingsWrong, match="the variable MY_KEY, which is not set"):
        open_model(settings, {})


def test_a_key_comes_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    settings = made(key_file=str(path))
    with pytest.raises(ModelSettingsWrong, match="cannot be read: No such file"):
        open_model(settings, {})
    path.write_text(f"{KEY}\n")
    assert open_model(settings, {}).name == settings.name


@pytest.mark.parametrize("key", [f"{KEY}\nX-Other: 1", f"{KEY} x", f"{KEY}é", "\x00"])
def test_what_can_be_no_key_is_refused_unsaid(key: str) -> None:
    with pytest.raises(ModelSettingsWrong, match="holds is no key") as error:
        open_model(made(key_env="MY_KEY"), {"MY_KEY": key})
    assert KEY not in str(error.value)


def test_a_key_in_place_of_its_variables_name_is_refused_unsaid() -> None:
    with pytest.raises(ValidationError, match="key_env") as error:
        made(key_env=KEY)
    assert KEY not in str(error.value)


def test_one_source_of_the_key_is_enough() -> None:
    with pytest.raises(ValidationError, match="not both"):
        made(key_env="A", key_file="b")


@pytest.mark.parametrize("name", ["n", "stream", "max_tokens", "messages", "model"])
def test_an_extra_body_cannot_buy_more_than_was_set_aside(name: str) -> None:
    with pytest.raises(ValidationError, match=f"extra_body cannot set {name}"):
        made(extra_body={name: 5})


def test_settings_that_nobody_knows_are_refused() -> None:
    with pytest.raises(ValidationError, match="api_key"):
        made(api_key=KEY)
