"""Frauds that `verify` does not see: by somebody in the campaign's own process, or with words that are in no list."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from agents.records import Execution, Stage
from flows.executions import ExecutionRequest
from flows.opened import OpenCampaign
from tests.frauds import urns
from tests.frauds.by_operators import BETTER, CHALLENGE, CONFIRM, SCREEN, first_of, insider
from tests.frauds.by_writing import written
from tests.frauds.cases import Ground, Kind, Left, Rng, as_it_lies, supported
from tests.frauds.editing import replaced
from tests.frauds.playing import Campaign

Made = list[tuple[str, Callable[[Ground], Left]]]
ALL: tuple[Stage, ...] = (*SCREEN, *CONFIRM, *CHALLENGE)


def _insiders(rng: Rng) -> Made:
    def same_seed(campaign: OpenCampaign, request: ExecutionRequest) -> Execution | None:
        ran = campaign.state.executions.values()
        found = (e for e in ran if e.candidate == "c1" and e.seed == request.seed)
        return next(found, None) if request.candidate == "c2" else None

    def shaken(content: bytes, seed: int) -> bytes:
        return content + b" " * (seed % 97)

    return [
        ("all runs of a candidate are its first one", insider(first_of("c1", ALL), BETTER)),
        ("copies with blanks at their ends", insider(first_of("c1", CONFIRM), BETTER, shake=shaken)),
        ("the screen of the better one on the same seeds", insider(same_seed, BETTER, urns.luck(1), sought=as_it_lies)),
    ]


def _rewound(ground: Ground, kinds: int) -> Left:
    """Take journal and repository back together, to before what was not liked, and end there."""
    campaign = ground.copied(ground.closed)
    path = campaign.folder / "journal.jsonl"
    seqs = [int(told.partition(" ")[0]) for told in _anchors(campaign)]
    keep = sorted(seqs)[kinds]
    history = campaign.workspace.history("record")
    tip = next(sha for sha in history if int(campaign.workspace.trailers(sha)["Journal"].partition(" ")[0]) == keep)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:keep]))
    (campaign.folder / "repo" / "refs" / "heads" / "record").write_text(f"{tip}\n")
    campaign.play(fence=9)
    return Left(campaign.home, supported())


def _anchors(campaign: Campaign) -> list[str]:
    workspace = campaign.workspace
    return [workspace.trailers(sha)["Journal"] for sha in workspace.history("record")]


def _holders(rng: Rng) -> Made:
    return [(f"journal and repository taken back to anchor {k}", partial(_rewound, kinds=k)) for k in (0, 1)]


def _words(rng: Rng) -> Made:
    told = [
        "The difference is a tenth.",
        "Our rule leaves the baseline far behind.",
        "Only one idea was ever tried.",
    ]
    return [(text, written(text)) for text in told]


def _kept(rng: Rng) -> Made:
    def changed(ground: Ground, name: str, old: str, new: str) -> Left:
        campaign = ground.shown()
        replaced(next(ground.shown_files.rglob(name)), old, new)
        return Left(campaign.home, as_it_lies, tracked=True)

    return [
        ("the table of claims in MLflow", partial(changed, name="claims.json", old="supported", new="refuted")),
        ("a plan in MLflow", partial(changed, name="p1.json", old='"looks"', new='"glances"')),
    ]


KINDS = [
    Kind("an operator inside the process", _insiders),
    Kind("journal and repository rewound together", _holders),
    Kind("words that are in no list", _words),
    Kind("copies that MLflow keeps", _kept),
]
