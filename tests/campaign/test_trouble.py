"""A campaign outlives its candidates: what hangs, eats memory, floods or lies is recorded, and the others go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign.running import HERE, campaign_file, hypoloop, of_kind

pytestmark = [pytest.mark.campaign, pytest.mark.prefect, pytest.mark.mlflow]

SPEC = f"""
name = "trouble"
template = "trouble"
template_folder = "{HERE}"
sandbox = "SANDBOX"
seed = 3
[budget]
rounds = 1
ideas_per_round = 8
plans_per_round = 1
"""


@pytest.fixture(scope="module", params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "docker":
        request.getfixturevalue("engine")
    home = tmp_path_factory.mktemp(f"trouble-{request.param}")
    done = hypoloop(home, "run", str(campaign_file(home, SPEC.replace("SANDBOX", request.param))))
    assert done.returncode == 0, done.stdout + done.stderr
    return home


def outcomes(home: Path, title: str) -> set[str]:
    idea = next(i["id"] for e in of_kind(home, "trouble", "ideas") for i in e["ideas"] if i["title"].endswith(title))
    candidates = {c["id"] for c in of_kind(home, "trouble", "candidate") if c["idea"] == idea}
    return {e["outcome"] for e in of_kind(home, "trouble", "execution") if e["candidate"] in candidates}


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("More draws", {"ok"}),
        ("Another label", {"ok"}),
        ("Hang", {"timeout"}),
        ("Eat memory", {"oom"}),
        ("Print a gigabyte", {"output_limit"}),
        ("Estimate that is not a number", {"invalid"}),
        ("Fill the disk", {"output_limit"}),
        ("Write its own metrics", {"ok"}),
    ],
)
def test_each_kind_of_trouble_has_its_outcome(home: Path, title: str, expected: set[str]) -> None:
    assert outcomes(home, title) == expected


def test_a_forged_metrics_file_changes_nothing(home: Path) -> None:
    ideas = {i["title"].split(": ")[-1]: i["id"] for e in of_kind(home, "trouble", "ideas") for i in e["ideas"]}
    effects = {s["idea"]: s["effect"] for s in of_kind(home, "trouble", "screened")}
    assert effects[ideas["Write its own metrics"]] == 0


def test_the_other_candidates_reach_a_verdict(home: Path) -> None:
    claims = of_kind(home, "trouble", "claim")
    assert claims[-1]["verdict"] == "supported"
    assert hypoloop(home, "verify", "trouble").returncode == 0
