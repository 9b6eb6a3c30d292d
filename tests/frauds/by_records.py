"""Frauds in what a campaign left behind: the journal edited, cut or reordered, MLflow, and figures."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.frauds import editing
from tests.frauds.cases import Ground, Kind, Left, Rng, as_it_lies
from tests.frauds.editing import Told, of_kind, replaced
from tests.frauds.playing import NAME, Campaign

Made = list[tuple[str, Callable[[Ground], Left]]]


def setting(kind: str, path: str, value: object, which: int = 0) -> editing.Change:
    """Return a change that sets one field of one event."""

    def change(told: Told) -> None:
        holder: Any = of_kind(told, kind)[which]
        *steps, last = path.split(".")
        for step in steps:
            holder = holder[int(step) if step.isdigit() else step]
        holder[last] = value

    return change


def _edited(rng: Rng) -> Made:
    up = float(rng.uniform(0.9, 1))
    made: Made = [
        (f"{kind}.{path}" + f", number {which}" * (which >= 0), editing.forgery(setting(kind, path, value, which)))
        for kind, path, value, which in (
            ("execution", "metrics.accuracy", up, -1), ("execution", "metrics.accuracy", up, int(rng.integers(5))),
            ("execution", "outcome", "failed", 3), ("execution", "seed", 17, -1), ("execution", "wall_s", 9.0, 0),
            ("claim", "estimate", up, 0), ("claim", "e_value", 1e6, 0), ("claim", "interval", [0.3, 0.4], 0),
            ("plan", "least_effect", 0.001, 0), ("screened", "passed", False, 0), ("campaign", "question", "Why?", 0),
            ("ideas", "ideas.0.statement", "It halves the errors.", 0), ("candidate", "summary", "Nothing.", 1),
        )
    ]  # fmt: skip

    for path, value in (("verdict", "supported"), ("estimate", up), ("n", 60), ("exploratory", True)):
        which = editing.forgery(setting("claim", path, value), of="failed")
        made.append((f"claim.{path}, before the end was anchored", which))

    def raw(old: bytes, new: bytes) -> Callable[[Campaign], object]:
        return lambda campaign: replaced(campaign.folder / "journal.jsonl", old, new)

    made.append(("a word, and no hash", editing.edit(raw(b'"supported"', b'"refuted"'))))
    made.append(("a time, and no hash", editing.edit(raw(b"2026-01-02", b"2026-01-03"))))
    return made


def _cut(rng: Rng) -> Made:
    made: Made = [(f"the last {n} lines", editing.lines(partial(_drop_last, n))) for n in (1, 2, 3, 5, 20)]
    for at in sorted(int(each) for each in rng.integers(2, 60, 3)):
        made.append((f"line {at}", editing.lines(partial(_drop, at, at + 1))))
    made.append(("ten lines from the middle", editing.lines(partial(_drop, 30, 40))))
    made.append(("the first line", editing.lines(partial(_drop, 0, 1))))
    made.append(("half of the last line", editing.lines(_tear)))
    for kind in ("attacks", "notice", "review", "finalists", "execution"):
        made.append((f"an event ({kind}), chained anew", editing.forgery(partial(_without, kind))))
    made.append(
        ("the last challenge, before the end was anchored", editing.forgery(partial(_without, "claim"), of="open"))
    )
    return made


def _drop_last(count: int, told: list[bytes]) -> None:
    del told[-count:]


def _drop(first: int, last: int, told: list[bytes]) -> None:
    del told[first:last]


def _tear(told: list[bytes]) -> None:
    told[-1] = told[-1][: len(told[-1]) // 2]


def _without(kind: str, told: Told) -> None:
    found = [each for each in told if each["kind"] == kind] or told[-2:-1]
    told.remove(found[-1])


def _reordered(rng: Rng) -> Made:
    made: Made = []
    for one, other in rng.integers(2, 70, (4, 2)):
        made.append((f"lines {one} and {other + 1}", editing.lines(partial(_swap, int(one), int(other) + 1))))
    made.append(("the last two lines", editing.lines(partial(_swap, -1, -2))))
    made.append(("all of it", editing.lines(lambda told: told.reverse())))
    made.append(("a line twice", editing.lines(lambda told: told.insert(9, told[9]))))
    for kind, after in (("plan", "claim"), ("attacks", "draft"), ("finalists", "plan"), ("screened", "finalists")):
        made.append((f"{kind} after {after}, chained anew", editing.forgery(partial(_later, kind, after))))
    return made


def _swap(one: int, other: int, told: list[bytes]) -> None:
    if one == other:
        other += 1
    told[one], told[other] = told[other], told[one]


def _later(kind: str, after: str, told: Told) -> None:
    at = next(k for k, each in enumerate(told) if each["kind"] == kind)
    to = next(k for k, each in enumerate(told) if each["kind"] == after and k > at)
    told.insert(to, told.pop(at))


def _tracked(rng: Rng) -> Made:
    up = float(rng.uniform(0.9, 1))
    told = {
        "a metric": lambda client, run: client.log_metric(run.info.run_id, "accuracy", up),
        "a secondary metric": lambda client, run: client.log_metric(run.info.run_id, "accuracy_near", up),
        "a metric of its own": lambda client, run: client.log_metric(run.info.run_id, "wins", 1.0),
        "a point of a chart": lambda client, run: client.log_metric(run.info.run_id, "accuracy", up, step=5),
        "the plan": lambda client, run: client.set_tag(run.info.run_id, "plan", "p9"),
        "the outcome": lambda client, run: client.set_tag(run.info.run_id, "outcome", "failed"),
        "the commit": lambda client, run: client.set_tag(run.info.run_id, "commit", "0" * 40),
        "a run removed": lambda client, run: client.delete_run(run.info.run_id),
        "a run added": lambda client, run: client.create_run(run.info.experiment_id, run_name="mine"),
        "how it ended": lambda client, run: client.set_terminated(run.info.run_id, "FAILED"),
        "the number of its event": lambda client, run: client.set_tag(run.info.run_id, "journal_seq", "1"),
        "a file": _file_edited,
    }
    return [(name, partial(_in_mlflow, change)) for name, change in told.items()]


def _file_edited(client: Any, run: Any) -> None:
    from pathlib import Path
    from urllib.parse import unquote, urlparse

    path = next(Path(unquote(urlparse(run.info.artifact_uri).path)).rglob("metrics.json"))
    path.write_text('{"accuracy": 1.0}', encoding="utf-8")


def _in_mlflow(change: Callable[[Any, Any], object], ground: Ground) -> Left:
    """Change one thing in MLflow; what was shown there before is put back first, for its files are found by path."""
    from flows.ledger.database import all_runs, open_client
    from flows.ledger.views import KEY

    campaign = ground.shown()
    client = open_client(campaign.home)
    experiment = client.get_experiment_by_name(NAME)
    keys = {e.key for e in campaign.state.executions.values() if e.stage == "confirm"}
    run = next(r for r in all_runs(client, experiment.experiment_id) if r.data.tags.get(KEY) in keys)
    change(client, run)
    return Left(campaign.home, as_it_lies, tracked=True)


def _figures(rng: Rng) -> Made:
    made: Made = []

    def figures(campaign: Campaign) -> list[Any]:
        return sorted((campaign.folder / "paper" / "figures").glob("*.svg"))

    def exchanged(one: int, other: int) -> Callable[[Campaign], object]:
        def change(campaign: Campaign) -> None:
            paths = figures(campaign)
            kept = paths[one].read_bytes()
            shutil.copyfile(paths[other], paths[one])
            paths[other].write_bytes(kept)

        return change

    def over(one: int, other: int) -> Callable[[Campaign], object]:
        return lambda campaign: shutil.copyfile(figures(campaign)[other], figures(campaign)[one])

    made += [(f"figures {a} and {b} exchanged", editing.edit(exchanged(a, b))) for a, b in ((0, 1), (0, -1))]
    made += [(f"figure {b} in the place of {a}", editing.edit(over(a, b))) for a, b in ((0, 1), (1, 0))]

    def another(ground: Ground) -> Left:
        campaign = ground.copied(ground.closed)
        other = {path.name: path for path in figures(ground.fallen)}
        for path in figures(campaign):
            if path.name in other and other[path.name].read_bytes() != path.read_bytes():
                shutil.copyfile(other[path.name], path)
        return Left(campaign.home, as_it_lies)

    made.append(("those of another campaign", another))
    for name, act in {
        "a mark moved": lambda path: path.write_bytes(_moved(path.read_bytes(), rng)),
        "a figure removed": lambda path: path.unlink(),
        "a figure emptied": lambda path: path.write_bytes(b"<svg/>"),
        "a figure turned over": lambda path: replaced(path, "<g ", '<g transform="scale(1,-1)" '),
        "another colour": lambda path: replaced(path, "#", "#0"),
    }.items():
        made.append((name, editing.edit(lambda campaign, act=act: act(figures(campaign)[0]))))
    made.append(("the PDF of another campaign", _other_pdf))
    return made


def _moved(content: bytes, rng: Rng) -> bytes:
    at = content.index(b'd="M ') + 5
    return content[:at] + b"%d" % rng.integers(1, 9) + content[at:]


def _other_pdf(ground: Ground) -> Left:
    campaign = ground.copied(ground.closed)
    shutil.copyfile(ground.fallen.folder / "paper" / "paper.pdf", campaign.folder / "paper" / "paper.pdf")
    return Left(campaign.home, as_it_lies)


KINDS = [
    Kind("journal edited", _edited),
    Kind("journal cut", _cut),
    Kind("journal reordered", _reordered),
    Kind("MLflow value edited", _tracked),
    Kind("figure swapped", _figures),
]
