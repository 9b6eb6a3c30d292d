"""The code in a bundle is its sender's: nothing of it runs that does not hold, or where nothing confines it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.bundle.exporting import export
from flows.errors import BundleBroken
from flows.reproducing import How
from sandboxes import SandboxRefused
from tests.bundle.forging import members, tampered
from tests.bundle.pretended import Machine, again
from tests.bundle.recorded import NAME, Recorded


def test_a_bundle_that_does_not_hold_is_not_run(bundle: Path, machine: Machine, tmp_path: Path) -> None:
    name = next(name for name in members(bundle) if name.endswith("evaluate.py"))
    with pytest.raises(BundleBroken):
        again(tmp_path, str(tampered(bundle, tmp_path / "x.zip", {name: b"import os\n"})))
    assert machine.sandboxes == []


def test_a_stranger_s_code_is_not_run_where_nothing_confines_it(bundle: Path, machine: Machine, tmp_path: Path) -> None:
    machine.isolates = False
    with pytest.raises(SandboxRefused, match="--allow-weak-sandbox"):
        again(tmp_path, str(bundle))
    assert machine.sandboxes[0].runs == []
    assert again(tmp_path, str(bundle), How(allow_weak=True)).reproduced


def test_what_a_bundle_allows_itself_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> None:
    monkeypatch.chdir(tmp_path)
    campaign = Recorded(tmp_path, settings={"allow_weak_sandbox": True, "runtime": "no-walls"}).confirmed()
    made = export(campaign.home, NAME, tmp_path / "x.zip", {})
    machine.isolates = False
    with pytest.raises(SandboxRefused):
        again(tmp_path, str(made.path))
    spec = machine.asked[0][0]
    assert (spec.allow_weak_sandbox, spec.runtime) == (False, None)
    assert again(campaign.home, NAME).reproduced, "at home the user's own word holds"
    assert machine.asked[1][0].runtime == "no-walls"


def test_a_stranger_s_image_gets_packages_by_name_and_version_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> None:
    monkeypatch.chdir(tmp_path)
    wish = '\n[image]\nrequirements = ["x @ https://example.org/x.whl"]\n'
    campaign = Recorded(tmp_path, manifest=wish).confirmed()
    made = export(campaign.home, NAME, tmp_path / "x.zip", {})
    with pytest.raises(SandboxRefused, match="only names and versions"):
        again(tmp_path, str(made.path))
    assert machine.sandboxes == []
