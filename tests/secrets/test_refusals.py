"""What hypoloop says, shows and refuses repeats no secret that it was given in the wrong place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.errors import ServerFailed, SettingsInvalid
from flows.ledger.state import CampaignState
from flows.ledger.views import experiment_tags
from flows.server import Server, find_server
from flows.settings import read_spec
from sandboxes.errors import ImageBuildFailed
from sandboxes.wheels import install
from templates.errors import ManifestInvalid
from templates.manifest import read_manifest
from tests.secrets.canaries import Canaries, environment
from tests.secrets.decoding import parts
from tests.secrets.index import package_index
from tests.secrets.search import search
from tests.secrets.staging import HERE

CANARIES = Canaries()


def tells(text: object) -> bool:
    return bool(search(CANARIES, parts("here", str(text).encode())))


@pytest.mark.parametrize(
    ("line", "variables"),
    [
        (f'api_key = "{CANARIES.of("key")}"', {}),
        (f'seed = "{CANARIES.of("seed")}"', {}),
        (f'team = ["{CANARIES.of("team")}"]', {}),
        ("", {"HYPOLOOP__BUDGET__KEY": CANARIES.of("override")}),
        ("", {"HYPOLOOP__SANDBOX": CANARIES.of("sandbox")}),
    ],
    ids=["unknown", "no number", "no text", "unknown override", "no such choice"],
)
def test_a_setting_that_is_refused_is_not_repeated(line: str, variables: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "campaign.toml"
    file.write_text(f'name = "x"\ntemplate = "x"\n{line}\n', encoding="utf-8")
    with pytest.raises(SettingsInvalid) as refused:
        read_spec(file, variables)
    assert not tells(refused.value)


def test_the_address_of_a_prefect_server_is_shown_without_its_password(tmp_path: Path) -> None:
    address = CANARIES.address("prefect", "127.0.0.1:9/api")
    assert tells(address)
    assert Server(url=address, home=tmp_path).window == "http://127.0.0.1:9"
    assert experiment_tags(CampaignState(), address)["prefect_url"] == "http://127.0.0.1:9/api"
    assert not tells(experiment_tags(CampaignState(), address))
    with pytest.raises(ServerFailed) as refused:
        find_server(tmp_path, {"PREFECT_API_URL": address})
    assert not tells(refused.value)


def test_a_template_whose_requirement_holds_a_password_is_refused_and_it_is_not_repeated(tmp_path: Path) -> None:
    manifest = tmp_path / "template.toml"
    text = (HERE / "hunter" / "template.toml").read_text(encoding="utf-8")
    address = CANARIES.address("requirement", "127.0.0.1:9/x-1.0-py3-none-any.whl")
    manifest.write_text(text.replace("requirements = []", f'requirements = ["x @ {address}"]'), encoding="utf-8")
    with pytest.raises(ManifestInvalid, match="holds a login") as refused:
        read_manifest(manifest)
    assert not tells(refused.value)


def test_an_index_that_refuses_is_not_told_with_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with package_index("wheelie", "another password") as index:
        for name, value in environment(CANARIES, tmp_path, index.place).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
        with pytest.raises(ImageBuildFailed, match="wheelie") as refused:
            install(("wheelie==1.0",), tmp_path / "site", "3.11", os.uname().machine)
    assert index.arguments
    assert not search(CANARIES, index.arguments)
    assert not tells(refused.value)
