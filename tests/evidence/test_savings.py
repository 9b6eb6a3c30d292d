import pytest

from agents.records import Execution, Split, Stage
from flows.evidence import Saved, saved


def runs(candidate: str, stage: Stage, count: int) -> list[Execution]:
    return [
        Execution(
            key=f"{candidate}-{stage}-{n}", candidate=candidate, stage=stage, split=Split.SEARCH, seed=n, outcome="ok"
        )
        for n in range(count)
    ]


CAMPAIGN = [
    *runs("c0", Stage.BASELINE, 4),
    *runs("c1", Stage.SCREEN, 4),
    *runs("c2", Stage.SCREEN, 3),
    *runs("c1", Stage.CONFIRM, 7),
    *runs("c0", Stage.CONFIRM, 7),
    *runs("c1", Stage.CHALLENGE, 6),
    *runs("c9", Stage.CHALLENGE, 6),
]


def test_what_was_used_is_held_against_twenty_pairs_for_every_candidate() -> None:
    made = saved(CAMPAIGN)
    assert made == Saved(candidates=2, screen=11, confirm=14, challenge=12, fixed=80, fixed_shared=60)
    assert made.used == 25
    assert made.share == pytest.approx(1 - 25 / 80)
    assert made.share_shared == pytest.approx(1 - 25 / 60)


def test_the_fixed_design_may_be_another() -> None:
    assert saved(CAMPAIGN, pairs=5).share == pytest.approx(1 - 25 / 20)


def test_a_campaign_without_candidates_saves_nothing() -> None:
    made = saved(runs("c0", Stage.BASELINE, 4))
    assert (made.share, made.share_shared) == (0.0, 0.0)
