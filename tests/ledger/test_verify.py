"""A campaign is held against its journal: every planted fault is found and named, and nothing else is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.records import Candidate, Split, Stage
from flows.ledger.errors import JournalError
from flows.ledger.state import CampaignState, reduce_events
from flows.ledger.verify import (
    Finding,
    anchor_faults,
    commit_faults,
    execution_faults,
    plan_commit_faults,
    plan_faults,
    seed_faults,
    verify_campaign,
)
from tests.ledger.sample import SampleCampaign, patch, plan


@pytest.fixture
def sample(tmp_path: Path) -> SampleCampaign:
    return SampleCampaign(tmp_path)


@pytest.fixture
def whole(sample: SampleCampaign) -> SampleCampaign:
    return sample.whole()


def state_of(sample: SampleCampaign) -> CampaignState:
    return reduce_events(sample.events())


def file_faults(sample: SampleCampaign) -> list[str]:
    return list(execution_faults(sample.folder, state_of(sample)))


def test_a_sound_campaign_has_no_faults(whole: SampleCampaign) -> None:
    state = state_of(whole)
    assert list(anchor_faults(whole.workspace, whole.events())) == []
    assert list(commit_faults(whole.workspace, state)) == []
    assert list(plan_commit_faults(whole.workspace, state)) == []
    assert list(plan_faults(state)) == []
    assert list(seed_faults(state)) == []
    assert file_faults(whole) == []


def test_events_cut_off_the_end_are_found_by_the_commits(whole: SampleCampaign) -> None:
    assert list(anchor_faults(whole.workspace, whole.events()[:7])) != []
    (fault,) = anchor_faults(whole.workspace, whole.events()[:6])
    assert "the journal ends with event 6" in fault


def test_an_anchor_of_another_journal_is_found(whole: SampleCampaign) -> None:
    event = whole.events()[3]
    forged = (*whole.events()[:3], event.model_copy(update={"hash": "f" * 64}), *whole.events()[4:])
    (fault,) = anchor_faults(whole.workspace, forged)
    assert "anchors event 4" in fault
    whole.workspace.commit_files({"x": b""}, "Odd", {"Journal": "4"}, event.at)
    assert any("no event number and hash" in fault for fault in anchor_faults(whole.workspace, whole.events()))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"commit": "0" * 40}, "has no commit"),
        ({"idea": "i9"}, "instead of 'Idea: i9'"),
        ({"id": "c9"}, "instead of 'Candidate: c9'"),
        ({"parent": "c9" * 20}, "is built on"),
    ],
)
def test_a_candidate_that_is_not_its_commit_is_found(
    sample: SampleCampaign, changes: dict[str, str], says: str
) -> None:
    sample.begin()
    honest = state_of(sample).candidates["c1"]
    sample.journal.append("candidate", honest.model_copy(update={"id": "c2"} | changes))
    assert any(says in fault for fault in commit_faults(sample.workspace, state_of(sample)))


def test_a_commit_outside_the_editable_paths_is_found(sample: SampleCampaign) -> None:
    sample.begin()
    repository, base = sample.workspace._repository, sample.workspace.baseline()
    tree = repository.write({"workload/data.csv": b"1,2\n", "README.md": b"Fine.\n"}, base)
    message = f"Idea i1: x\n\nIdea: i1\nCandidate: c2\nParent: {base}\n"
    sha = repository.commit(tree, (base,), message, sample.clock())
    sample.candidate(Candidate(id="c2", idea="i1", commit=sha, parent=base, branch="idea/x"))
    faults = list(commit_faults(sample.workspace, state_of(sample)))
    assert [fault.partition(") ")[2] for fault in faults] == [
        "is on no branch.",
        "changes README.md, which may not change.",
        "changes workload/data.csv, which may not change.",
    ]


def test_a_plan_without_its_commit_is_found(sample: SampleCampaign) -> None:
    sample.begin()
    sample.journal.append("plan", plan())
    assert "not committed" in next(plan_commit_faults(sample.workspace, state_of(sample)))


def test_a_plan_that_was_rewritten_is_found(whole: SampleCampaign) -> None:
    changed = plan(least_effect=0.5).model_dump_json().encode()
    whole.workspace.commit_files({"plans/p1.json": changed}, "Oops", {}, whole.clock())
    assert "reads otherwise" in next(plan_commit_faults(whole.workspace, state_of(whole)))


def test_a_plan_committed_after_it_ran_is_found(sample: SampleCampaign) -> None:
    sample.begin()
    sample.journal.append("plan", plan())
    sample.execute("c0", Stage.CONFIRM, 1001, 0.2, "p1")
    content = plan().model_dump_json().encode()
    trailers = {"Plan": "p1", "Journal": str(sample.journal.head())}
    sample.workspace.commit_files({"plans/p1.json": content}, "Plan p1", trailers, sample.clock())
    assert "only after its first execution" in next(plan_commit_faults(sample.workspace, state_of(sample)))


def test_executions_that_no_plan_covers_are_found(sample: SampleCampaign) -> None:
    sample.begin()
    sample.execute("c0", Stage.CONFIRM, 1001, 0.2, "p1")
    sample.register(plan(candidate="c9"))
    sample.execute("c0", Stage.CONFIRM, 1009, 0.2, "p1")
    sample.execute("c0", Stage.CHALLENGE, 1002, 0.2, "p1")
    sample.execute("c1", Stage.CONFIRM, 1002, 0.2, "p1")
    sample.execute("c1", Stage.CONFIRM, 1002, 0.2, "p7")
    sample.execute("c1", Stage.CONFIRM, 1002, 0.2, None, Split.CONFIRM)
    faults = list(plan_faults(state_of(sample)))
    for fault, says in zip(
        faults,
        ["came before its plan", "uses seed 1009", "is of stage challenge", "does not compare", "never registered",
         "without a plan"],
        strict=True,
    ):  # fmt: skip
        assert says in fault


def test_seeds_that_are_not_fresh_are_found(sample: SampleCampaign) -> None:
    sample.begin()
    sample.register(plan())
    sample.register(plan(id="p2", idea="i2", seeds=(1002, 1003)))
    sample.register(plan(id="p3", stage="challenge", seeds=(1001, 1002)))
    sample.execute("c1", Stage.SCREEN, 1003, 0.1)
    assert list(seed_faults(state_of(sample))) == [
        "Plan p2 spends seed 1003, which the search has used.",
        "Plan p2 spends seed 1002, which plan p1 has spent.",
    ]


@pytest.mark.parametrize(
    ("stage", "plan_id", "split"),
    [(Stage.SCREEN, None, Split.CONFIRM), (Stage.BASELINE, None, Split.CONFIRM), (Stage.CONFIRM, "p1", Split.SEARCH)],
)
def test_a_split_at_the_wrong_stage_is_found(
    sample: SampleCampaign, stage: Stage, plan_id: str | None, split: Split
) -> None:
    sample.begin()
    sample.execute("c1", stage, 5, 0.1, plan_id, split)
    (fault,) = seed_faults(state_of(sample))
    assert f"of stage {stage} used the {split} split" in fault


def test_files_that_changed_on_disk_are_found(whole: SampleCampaign) -> None:
    folder = whole.folder / "executions" / next(iter(state_of(whole).executions))
    (folder / "out" / "sum.json").write_text("[3]")
    (folder / "run.log").unlink()
    (folder / "score" / "metrics.json").write_text(json.dumps({"error": 0.01}))
    faults = file_faults(whole)
    for says in ("another out/sum.json", "lacks its file run.log", "error 0.01 in metrics.json, the journal says 0.2"):
        assert any(says in fault for fault in faults)


@pytest.mark.parametrize("content", ["", "[]", "{", None])
def test_metrics_that_are_none_are_found(whole: SampleCampaign, content: str | None) -> None:
    path = whole.folder / "executions" / next(iter(state_of(whole).executions)) / "score" / "metrics.json"
    path.unlink() if content is None else path.write_text(content)
    assert any("metrics.json" in fault for fault in file_faults(whole))


def test_an_execution_under_another_key_is_found(sample: SampleCampaign) -> None:
    sample.begin()
    sample.commits["c1"] = sample.commits["c0"]
    sample.execute("c1", Stage.SCREEN, 1, 0.1)
    assert "a key that does not follow" in next(iter(file_faults(sample)))


def findings(sample: SampleCampaign, **hooks: Callable[..., list[str]]) -> dict[str, Finding]:
    return {finding.what: finding for finding in verify_campaign(sample.home, sample.name, **hooks)}


def test_nothing_can_be_verified_without_a_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be read"):
        verify_campaign(tmp_path, "nobody")


@pytest.mark.mlflow
class TestWholeCampaign:
    def test_every_check_reports(self, whole: SampleCampaign) -> None:
        from flows.ledger.tracking import rebuild

        rebuild(whole.home, whole.name, whole.events())
        found = findings(whole, rederive=lambda state: [], paper=lambda folder, state: ["k1 is not bound"])
        assert list(found) == [
            "journal", "anchors", "commits", "committed plans", "plans", "seeds and splits", "executions", "claims",
            "paper", "MLflow",
        ]  # fmt: skip
        assert [finding for finding in found.values() if not finding.ok] == [Finding("paper", False, "k1 is not bound")]

    def test_a_broken_chain_stops_no_other_check(self, whole: SampleCampaign) -> None:
        path = whole.folder / "journal.jsonl"
        path.write_bytes(path.read_bytes().replace(b'"e_value":80.0', b'"e_value":99.0'))
        shutil.rmtree(whole.folder / "repo")
        found = findings(whole)
        assert [what for what, finding in found.items() if not finding.ok] == ["journal", "commits", "MLflow"]
        assert "Line 14 of the journal" in found["journal"].detail
        assert "6 executions" in found["executions"].detail

    def test_an_event_of_no_sense_is_a_fault_of_the_journal(self, sample: SampleCampaign) -> None:
        sample.begin()
        sample.journal.append("surprise", {})
        sample.workspace.commit_candidate(
            patch(), sample.workspace.baseline(), "idea/i1", {"Candidate": "c1"}, sample.clock()
        )
        assert "surprise" in findings(sample)["journal"].detail
