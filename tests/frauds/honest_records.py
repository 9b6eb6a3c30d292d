"""Honest campaigns whose records look odd: moved, housekept, torn at the end, looked at half-way."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from typing import Any

from flows.reporting import rewrite
from tests.frauds import editing
from tests.frauds.cases import Ground, Kind, Left, Rng, as_it_lies
from tests.frauds.honest_runs import published
from tests.frauds.playing import NAME, Campaign

Made = list[tuple[str, Callable[[Ground], Left]]]


def _git(*words: str) -> Callable[[Campaign], object]:
    def run(campaign: Campaign) -> None:
        subprocess.run(["git", "-C", str(campaign.folder / "repo"), *words], check=True, capture_output=True)

    return run


def _housekept(rng: Rng) -> Made:
    told = [
        ("gc", "--quiet"), ("gc", "--aggressive", "--quiet"), ("repack", "-adq"), ("pack-refs", "--all"),
        ("prune",), ("config", "user.name", "Jane"), ("reflog", "expire", "--expire=now", "--all"), ("fsck",),
        ("commit-graph", "write", "--reachable"), ("config", "gc.auto", str(rng.integers(100))),
        ("count-objects", "-v"),
    ]  # fmt: skip
    return [(f"git {' '.join(words)}", editing.edit(_git(*words))) for words in told]


def _torn(rng: Rng) -> Made:
    def torn(ground: Ground, size: int) -> Left:
        campaign = ground.copied(ground.stopped(10))
        path = campaign.folder / "journal.jsonl"
        line = path.read_bytes().splitlines(keepends=True)[-1]
        with path.open("ab") as journal:
            journal.write(line[:size])
        return Left(campaign.play(fence=2).home, published)

    return [
        (f"{size} bytes of a record", partial(torn, size=int(size))) for size in (1, 2, 9, *rng.integers(10, 200, 7))
    ]


def _half_way(rng: Rng) -> Made:
    def looked_at(ground: Ground, after: int) -> Left:
        return Left(ground.copied(ground.stopped(after)).home, as_it_lies)

    return [(f"after {n} executions", partial(looked_at, after=n)) for n in (0, 1, 3, 6, 7, 10, 16, 20, 30, 36)]


def _moved(rng: Rng) -> Made:
    def each_file(act: Callable[[str], object]) -> Callable[[Campaign], object]:
        def change(campaign: Campaign) -> None:
            for folder, _, names in os.walk(campaign.folder):
                for name in names:
                    act(os.path.join(folder, name))  # noqa: PTH118

        return change

    def gone(*names: str) -> Callable[[Campaign], object]:
        def change(campaign: Campaign) -> None:
            for name in names:
                shutil.rmtree(campaign.folder / name, ignore_errors=True)

        return change

    def left(name: str) -> Callable[[Campaign], object]:
        def change(campaign: Campaign) -> None:
            path = campaign.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("left over", encoding="utf-8")

        return change

    when = int(rng.integers(10**9))
    return [
        (name, editing.edit(change))
        for name, change in {
            "every time of change set back": each_file(lambda path: os.utime(path, (when, when))),
            "read-only": each_file(lambda path: os.chmod(path, 0o444)),  # noqa: PTH101
            "readable by all": each_file(lambda path: os.chmod(path, 0o666)),  # noqa: PTH101
            "touched": each_file(lambda path: os.utime(path)),
            "without the prepared data": gone("data"),
            "without sources and data": gone("data", "sources"),
            "code checked out": left("sources/abc/run.py"),
            "a lease left over": left("lease.log"),
            "a note beside the journal": left("notes.txt"),
            "a folder of one's own": left("mine/plot.svg"),
        }.items()
    ]


def _again(rng: Rng) -> Made:
    def rewritten(ground: Ground, names: tuple[str, ...]) -> Left:
        campaign = ground.copied(ground.closed)
        for name in names:
            (campaign.folder / "paper" / name).unlink()
        rewrite(campaign.home, NAME)
        return Left(campaign.home, published)

    files = ["paper.pdf", "paper.typ", "report.html", "bindings.json", "references.bib", "layout.typ",
             "figures/differences.svg", "figures/evidence.json"]  # fmt: skip
    chosen = [(), *((name,) for name in files), tuple(files[:3])]
    return [(f"without {', '.join(names) or 'anything lost'}", partial(rewritten, names=names)) for names in chosen]


def _looked_through(rng: Rng) -> Made:
    which = int(rng.integers(20))

    def shown(ground: Ground, act: Callable[[Any, Any], object]) -> Left:
        from flows.ledger.database import all_runs, open_client

        campaign = ground.shown()
        client = open_client(campaign.home)
        runs = list(all_runs(client, client.get_experiment_by_name(NAME).experiment_id))
        act(client, runs[which])
        return Left(campaign.home, as_it_lies, tracked=True)

    tags = ["mine", "seen", "mlflow.note.content", "todo", "colour", "reviewed-by"]
    made = [
        (f"a person's tag {tag}", partial(shown, act=lambda to, run, t=tag: to.set_tag(run.info.run_id, t, "x")))
        for tag in tags
    ]  # fmt: skip
    made.append(("nothing", partial(shown, act=lambda client, run: None)))
    made.append(("another experiment", partial(shown, act=lambda client, run: client.create_experiment("mine"))))

    def rebuilt(ground: Ground, fresh: bool) -> Left:
        from flows.ledger.tracking import rebuild

        campaign = ground.shown()
        rebuild(campaign.home, NAME, campaign.events, fresh=fresh)
        return Left(campaign.home, as_it_lies, tracked=True)

    made += [(f"shown again, fresh: {fresh}", partial(rebuilt, fresh=fresh)) for fresh in (False, True)]
    return made


KINDS = [
    Kind("git kept house", _housekept),
    Kind("a journal torn at its end", _torn),
    Kind("a campaign looked at half-way", _half_way),
    Kind("a folder moved, copied, cleaned", _moved),
    Kind("a paper written again", _again),
    Kind("MLflow looked through", _looked_through),
]
