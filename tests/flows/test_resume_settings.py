"""A campaign goes on with the settings it began with, but for where its models are."""

from __future__ import annotations

import pytest

from flows.commands.campaigns import _anew
from flows.errors import SettingsInvalid
from flows.launch import _refuse_weak
from flows.settings import spec_of

VALUES = {
    "name": "moved", "template": "offline-rl", "team": "llm",
    "models": {"default": {"base_url": "http://127.0.0.1:1/v1", "model": "m"}},
}  # fmt: skip


def test_a_models_address_may_change_and_nothing_else() -> None:
    kept = spec_of(VALUES, where="test").model_dump(mode="json")
    environ = {
        "HYPOLOOP__MODELS__DEFAULT__BASE_URL": "http://127.0.0.1:2/v1",
        "HYPOLOOP__SEED": "9",
        "HYPOLOOP__BUDGET__MONEY": "1000",
    }
    spec = _anew(kept, environ)
    assert spec.models["default"].base_url == "http://127.0.0.1:2/v1"
    assert (spec.seed, spec.budget.money) == (1, None)
    assert kept["models"]["default"]["base_url"] == "http://127.0.0.1:1/v1", "what the journal says stays"


def test_what_is_laid_over_is_held_to_the_same_rules() -> None:
    kept = spec_of(VALUES, where="test").model_dump(mode="json")
    with pytest.raises(SettingsInvalid, match="base_url"):
        _anew(kept, {"HYPOLOOP__MODELS__DEFAULT__BASE_URL": "ftp://x"})


def test_plain_processes_are_refused_before_anything_starts() -> None:
    with pytest.raises(SettingsInvalid, match="confine nothing"):
        _refuse_weak(spec_of(VALUES | {"sandbox": "process"}, where="test"))
    _refuse_weak(spec_of(VALUES | {"sandbox": "process", "allow_weak_sandbox": True}, where="test"))
    _refuse_weak(spec_of(VALUES, where="test"))
