"""Audit of executions: covered by plans, on fresh seeds, under their plan's condition, and as they lie on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from agents.records import Candidate, Execution, Plan, Split, Stage
from flows.ledger.keys import execution_key
from flows.ledger.state import CampaignState
from templates.errors import TemplateBroken
from templates.prepared import data_digest, data_folder

HELD_OUT = (Stage.CONFIRM, Stage.CHALLENGE)
METRICS = "score/metrics.json"


def plan_faults(state: CampaignState) -> Iterator[str]:
    """Yield executions that their plan does not cover, or that came before it."""
    for execution in state.executions.values():
        who = _called(execution, state)
        if execution.plan is None:
            if execution.stage in HELD_OUT:
                yield f"{who} is of stage {execution.stage} without a plan."
            if execution.condition is not None:
                yield f"{who} ran with {execution.condition} and without a plan."
            continue
        plan = state.plans.get(execution.plan)
        if plan is None:
            yield f"{who} names plan {execution.plan}, which was never registered."
            continue
        if state.seqs[plan.id] > state.seqs[execution.key]:
            yield f"{who} came before its plan {plan.id} (event {state.seqs[plan.id]})."
        yield from (f"{who} {fault}" for fault in _uncovered(execution, plan))


def _uncovered(execution: Execution, plan: Plan) -> Iterator[str]:
    if execution.candidate not in (plan.candidate, plan.comparator):
        yield f"runs candidate {execution.candidate}, which plan {plan.id} does not compare."
    if execution.seed not in plan.seeds:
        yield f"uses seed {execution.seed}, which plan {plan.id} does not hold."
    if execution.stage is not plan.stage:
        yield f"is of stage {execution.stage}, plan {plan.id} is of stage {plan.stage}."
    if execution.condition != plan.condition:
        ran, asked = (f"with {name}" if name else "as it is" for name in (execution.condition, plan.condition))
        yield f"ran the workload {ran}, plan {plan.id} says {asked}."


def seed_faults(state: CampaignState) -> Iterator[str]:
    """Yield seeds that were seen before they were to confirm, and held-out data that a search looked at."""
    searched = {e.seed for e in state.executions.values() if e.stage not in HELD_OUT}
    spent: dict[int, Plan] = {}
    for plan in state.plans.values():
        if seen := sorted(searched.intersection(plan.seeds)):
            yield f"Plan {plan.id} spends seed {seen[0]}, which the search has used."
        for seed in plan.seeds:
            before = spent.setdefault(seed, plan)
            if before is not plan:
                yield f"Plan {plan.id} spends seed {seed}, which plan {before.id} has spent."
                break
    for execution in state.executions.values():
        if (execution.split is Split.CONFIRM) != (execution.stage in HELD_OUT):
            yield f"{_called(execution, state)} of stage {execution.stage} used the {execution.split} split."


def execution_faults(folder: Path, state: CampaignState, left_out: Collection[str] = ()) -> Iterator[str]:
    """Yield executions whose key, files or numbers on disk are not those of the journal; `left_out` may be absent."""
    for execution in state.executions.values():
        who = _called(execution, state)
        candidate = state.candidates.get(execution.candidate)
        if candidate is None:
            yield f"{who} runs candidate {execution.candidate}, which the journal does not know."
        elif execution.key not in _keys_of(execution, candidate, state):
            yield f"{who} has a key that does not follow from its commit, template, image, stage, seed and split."
        place = folder / "executions" / execution.key
        for name, digest in execution.artifacts.items():
            path = place / name
            if not path.is_file() or path.is_symlink():
                if f"executions/{execution.key}/{name}" not in left_out:
                    yield f"{who} lacks its file {name}."
            elif sha256(path.read_bytes()).hexdigest() != digest:
                yield f"{who} has another {name} on disk than the journal says."
        yield from _metrics_faults(who, execution, place / METRICS)
    yield from _strays(folder / "executions", state)


def data_faults(folder: Path, state: CampaignState) -> Iterator[str]:
    """Yield executions whose data set was another than that of the same seed, or is another on disk by now."""
    first: dict[tuple[str, str | None, int], Execution] = {}
    for execution in state.executions.values():
        place = (str(execution.split), execution.condition, execution.seed)
        before = first.setdefault(place, execution)
        if before.data != execution.data:
            yield (
                f"{_called(execution, state)} was given another data set than {_called(before, state)}, which has the "
                "same seed, split and condition."
            )
    for place, execution in first.items():
        kept = data_folder(folder / "data", state.digest, *place)
        if execution.data and kept.is_dir() and _digest(kept) != execution.data:
            yield f"{_called(execution, state)} was given another data set than the one in data/{kept.name}."


def _digest(folder: Path) -> str:
    try:
        return data_digest(folder)
    except TemplateBroken as broken:
        return str(broken)


def _strays(place: Path, state: CampaignState) -> Iterator[str]:
    """Yield files beside the executions' own; a campaign at work may have begun what it has not journalled yet."""
    for path in sorted(_files(place)):
        key, _, name = path.partition("/")
        execution = state.executions.get(key)
        if execution is not None and name not in execution.artifacts:
            yield f"{_called(execution, state)} has a file {name} beside its own, which no event speaks of."
        elif execution is None and (state.closed is not None or not name):
            yield f"executions/{key}{'/' if name else ''}{name} belongs to no execution of the journal."


def _files(place: Path) -> Iterator[str]:
    """Yield every file and every link under `place`, relative to it."""
    for parent, folders, files in os.walk(place):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]  # noqa: PTH114, PTH118 - many
        for name in (*files, *links):
            yield os.path.relpath(os.path.join(parent, name), place)  # noqa: PTH118 - there may be many


def _metrics_faults(who: str, execution: Execution, path: Path) -> Iterator[str]:
    if execution.metrics is None:
        return
    if not path.is_file():
        yield f"{who} lacks its metrics.json."
        return
    try:
        there = json.loads(path.read_bytes())
    except ValueError:
        yield f"{who} has a metrics.json that is no JSON."
        return
    if there == dict(execution.metrics):
        return
    if not isinstance(there, dict):
        yield f"{who} has a metrics.json that holds no metrics."
        return
    for name in sorted(there.keys() | execution.metrics.keys()):
        if there.get(name) != execution.metrics.get(name):
            yield f"{who} has {name} {there.get(name)} in metrics.json, the journal says {execution.metrics.get(name)}."


def _called(execution: Execution, state: CampaignState) -> str:
    return f"Execution {execution.key} (event {state.seqs[execution.key]})"


def _keys_of(execution: Execution, candidate: Candidate, state: CampaignState) -> set[str]:
    images: Mapping[str | None, None] = dict.fromkeys((state.image_id, execution.image_id))
    return {
        execution_key(
            candidate.commit,
            state.digest,
            image,
            execution.stage,
            execution.seed,
            execution.split,
            execution.plan,
            execution.condition,
        )
        for image in images
    }
