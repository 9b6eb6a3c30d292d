"""A campaign is held against its journal: every planted fault is found and named, and nothing else is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agents.records import Candidate, Split, Stage
from flows.ledger.audit_commits import (
    anchor_faults,
    closing_faults,
    commit_faults,
    plan_commit_faults,
    record_faults,
)
from flows.ledger.audit_executions import data_faults, execution_faults, plan_faults, seed_faults
from flows.ledger.folds import reduce_events
from flows.ledger.record import anchor_closing
from flows.ledger.state import CampaignState
from templates.prepared import data_digest, data_folder
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


def test_a_side_that_was_given_other_data_is_found(whole: SampleCampaign) -> None:
    state = state_of(whole)
    assert list(data_faults(whole.folder, state)) == []
    one, two = list(state.executions.values())[:2]
    given = {"seed": one.seed, "split": one.split, "condition": None}
    pair = {
        one.key: one.model_copy(update={"data": "a" * 64}),
        two.key: two.model_copy(update=given | {"data": "b" * 64}),
    }
    (fault,) = data_faults(whole.folder, replace(state, executions=pair))
    assert two.key in fault
    assert "another data set than" in fault


def test_a_data_set_that_changed_since_is_found(whole: SampleCampaign) -> None:
    state = state_of(whole)
    (one, *_) = state.executions.values()
    kept = data_folder(whole.folder / "data", state.digest, one.split, one.condition, one.seed)
    kept.mkdir(parents=True)
    (kept / "set.csv").write_text("1\n", encoding="utf-8")
    state = replace(state, executions={one.key: one.model_copy(update={"data": data_digest(kept)})})
    assert list(data_faults(whole.folder, state)) == []
    (kept / "set.csv").write_text("2\n", encoding="utf-8")
    (fault,) = data_faults(whole.folder, state)
    assert f"data/{kept.name}" in fault
    (kept / "set.csv").unlink()
    (kept / "set.csv").symlink_to("/etc/hostname")
    assert len(list(data_faults(whole.folder, state))) == 1


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
    sample.execute("c1", Stage.SCREEN, 1, 0.2, condition="hot")
    sample.register(plan(id="p3", idea="i3", candidate="c1", seeds=(1003,), looks=(1,), condition="hot"))
    sample.execute("c1", Stage.CONFIRM, 1003, 0.2, "p3")
    faults = list(plan_faults(state_of(sample)))
    for fault, says in zip(
        faults,
        ["came before its plan", "uses seed 1009", "is of stage challenge", "does not compare", "never registered",
         "without a plan", "with hot and without a plan", "ran the workload as it is, plan p3 says with hot"],
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
        "Plan p3 spends seed 1001, which plan p1 has spent.",
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


def test_files_that_no_event_speaks_of_are_found(whole: SampleCampaign) -> None:
    folder = whole.folder / "executions"
    key = next(iter(state_of(whole).executions))
    (folder / key / "out" / "more.json").write_text("[4]")
    (folder / "0123456789abcdef").mkdir()
    (folder / "0123456789abcdef" / "run.log").write_text("fine")
    (folder / "notes.txt").write_text("x")
    strays = file_faults(whole)
    assert len(strays) == 3
    for says in ("a file out/more.json beside its own", "executions/0123456789abcdef/run.log", "executions/notes.txt"):
        assert any(says in fault for fault in strays)


def test_what_an_open_campaign_has_begun_is_no_stray(sample: SampleCampaign) -> None:
    sample.begin()
    (sample.folder / "executions" / "0123456789abcdef").mkdir(parents=True)
    (sample.folder / "executions" / "0123456789abcdef" / "run.log").write_text("at work")
    assert file_faults(sample) == []


def record_of(sample: SampleCampaign) -> list[str]:
    return list(record_faults(sample.workspace, sample.events(), state_of(sample)))


def test_the_end_of_a_closed_campaign_must_be_anchored(whole: SampleCampaign) -> None:
    (fault,) = closing_faults(whole.workspace, whole.events(), state_of(whole))
    assert "(claim, paper, closed) are anchored by no commit" in fault
    anchor_closing(whole.workspace, whole.events()[-1])
    anchor_closing(whole.workspace, whole.events()[-1])
    assert list(closing_faults(whole.workspace, whole.events(), state_of(whole))) == []
    assert record_of(whole) == []


def test_an_open_campaign_owes_no_anchor_at_its_end(sample: SampleCampaign) -> None:
    sample.begin()
    assert list(closing_faults(sample.workspace, sample.events(), state_of(sample))) == []


@pytest.mark.parametrize(
    ("files", "trailers", "says"),
    [
        ({"plans/p9.json": b"{}"}, {}, "holds plans/p9.json, which belongs to no event"),
        ({"plans/p1.json": b"{}"}, {}, "another plans/p1.json than the journal leads to"),
        ({"paper/paper.pdf": b"%PDF other"}, {}, "another paper/paper.pdf"),
        ({"closing.json": b"{}"}, {}, "another closing.json"),
        ({"README": b"x"}, {}, "is bound to no event of the journal"),
    ],
)
def test_what_the_record_holds_beside_the_journal_is_found(
    whole: SampleCampaign, files: dict[str, bytes], trailers: dict[str, str], says: str
) -> None:
    whole.workspace.commit_files(files, "Odd", trailers, whole.clock())
    assert any(says in fault for fault in record_of(whole))


def test_a_branch_that_ends_in_no_candidate_is_found(whole: SampleCampaign) -> None:
    base = whole.workspace.baseline()
    whole.workspace.commit_candidate(patch(text="SIZE = 3\n"), base, "idea/i7", {"Candidate": "c7"}, whole.clock())
    (fault,) = commit_faults(whole.workspace, state_of(whole))
    assert "Branch 'idea/i7' is at" in fault
