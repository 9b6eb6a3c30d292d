"""What was registered, challenged, left out and saved, as the paper and the report print it."""

from __future__ import annotations

import pytest

from agents.records import Attack, Challenge, ChallengeKind, Deviation, Forecast
from agents.team import Behind, Closing, Dossier, Savings
from flows.papers import compile_pdf
from flows.papers.ledgers import saving, together
from flows.papers.registers import absent, changed_to
from templates.template import Template
from tests.papers import sample

SAVED = Savings(
    candidates=7, pairs=20, screen=40, confirm=60, challenge=32, used=100, fixed=280, fixed_shared=160, share=0.643,
    share_shared=0.375,
)  # fmt: skip
CLOSING = Closing(alpha=0.05, horizon=4, threshold=81.0, stands=("k1",), added=("k3",), lost=())
FORECAST = Forecast(
    effect=0.05, power=0.71, power_least=0.12, expected_pairs=9.5, pairs_null=6.25, underpowered=True
)  # fmt: skip
DEVIATION = Deviation(
    plan="p2", what="20 pairs & more", why="a <late> scorer", at="2026-01-02T03:04:05Z",
    changes={"seeds": list(range(1017, 1037)), "futility": 0.1},
)  # fmt: skip


def challenge(kind: ChallengeKind, **more: object) -> Challenge:
    values = {"plan": "p5", "kind": kind, "survived": False, "estimate": 0.01, "interval": None, "e_value": 2.5,
              "n": 8, "says": "So."}  # fmt: skip
    return Challenge.model_validate(values | more)


@pytest.fixture(scope="module")
def told() -> Dossier:
    dossier = sample.dossier()
    first, second, third = dossier.claims
    narrowed = challenge(ChallengeKind.CHANGE, condition="half the budget", narrows=True)
    attacks = (
        Attack(plan="p4", kind=ChallengeKind.ABLATION, removed=("wolff",)),
        Attack(plan="p5", kind=ChallengeKind.CHANGE, condition="half the budget"),
        Attack(plan="p6", kind=ChallengeKind.CONTROL, condition="all states alike"),
    )
    one, two, three = dossier.plans
    plans = (
        one.model_copy(update={"forecast": FORECAST, "varies": ("wolff",), "fixed": ("template 9f2b", "the image")}),
        two.model_copy(update={"deviations": (DEVIATION,), "fixed": ("template 9f2b", "the image")}),
        three,
        one.model_copy(update={"id": "p5", "stage": "challenge", "condition": "half", "forecast": None}),
    )
    return dossier.model_copy(
        update={
            "claims": (
                first.model_copy(update={"challenges": (*first.challenges, narrowed)}),
                second.model_copy(update={"exploratory": True}),
                third,
            ),
            "plans": plans,
            "attacks": {"k1": attacks},
            "left_out": {"k1": ("changed condition with a colder start",)},
            "behind": {"k1": Behind(candidates=2, screen=4, confirm=32, challenge=48, executions=84, plans=4, looks=9,
                                    challenges=2)},
            "saved": SAVED,
            "closing": CLOSING,
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def source(told: Dossier, tiny: Template) -> str:
    return sample.composed(told, tiny).source


@pytest.fixture(scope="module")
def page(told: Dossier, tiny: Template) -> str:
    return sample.composed(told, tiny).files["report.html"].decode()


def test_the_paper_compiles_with_all_of_it(told: Dossier, tiny: Template) -> None:
    assert compile_pdf(sample.composed(told, tiny)).startswith(b"%PDF")


def test_challenges_are_told_by_kind_condition_and_outcome(source: str, page: str) -> None:
    assert "[changed condition], [half the budget]," in source.replace("] [", "], [")
    assert "[narrows]," in source
    assert "*supported*, narrowed" in source
    assert ">narrowed</span>" in page
    assert "<strong>narrows</strong>" in page


def test_what_a_claim_was_not_put_to_is_named(told: Dossier, source: str, page: str) -> None:
    labels = dict(absent(told))
    assert labels["Left out"] == "The budget did not allow these attacks on k1: changed condition with a colder start."
    assert labels["Not settled"].endswith("on k1 and not carried out to a verdict: negative control (plan p6).")
    for label in labels:
        assert f"#runin[{label}.]" in source
        assert f"<strong>{label}.</strong>" in page


def test_forecasts_stand_beside_what_happened(source: str, page: str) -> None:
    assert '#cell("plan:p1.forecast.power_least", "0.12");' in source
    assert "[underpowered]" in source
    assert '#cell("claim:k1.n", "16");' in source
    assert "9.5 pairs expected; underpowered" in page


def test_what_varies_and_what_is_fixed_is_said(source: str, page: str) -> None:
    assert "[wolff]," in source
    assert "#runin[Held fixed,] in every plan: template 9f2b, the image. @tab-deviations" in source
    assert "Held fixed: template 9f2b, the image." in page


def test_every_deviation_is_printed_with_what_why_and_when(source: str, page: str) -> None:
    assert changed_to(DEVIATION) == ["futility: 0.1", "seeds: 1017–1036"]
    assert "20 pairs & more" in source
    assert "a \\<late\\> scorer" in source
    assert "a &lt;late&gt; scorer" in page
    for text in (source, page):
        assert "seeds: 1017–1036" in text
        assert "2026" in text


def test_without_a_deviation_that_is_said(tiny: Template) -> None:
    dossier = sample.dossier()
    fixed = tuple(plan.model_copy(update={"fixed": ("the image",)}) for plan in dossier.plans)
    plain = sample.composed(dossier.model_copy(update={"plans": fixed}), tiny)
    assert "No plan was changed after it was frozen." in plain.source
    assert "No plan was changed after it was frozen." in plain.files["report.html"].decode()


def test_what_was_tried_for_a_claim_stands_beside_what_was_tried_up_to_it(source: str, page: str) -> None:
    for text in (source, page):
        assert "84" in text
    assert '#cell("behind:k1.confirm", "32");' in source
    assert '#cell("claim:k1.attempts.executions"' in source
    assert "Tried for it" in page


@pytest.mark.parametrize(
    ("share", "shared", "says"),
    [
        (0.6, 0.3, "saved {saved:share} of the one and"),
        (-0.2, -0.4, "Nothing was saved"),
        (0.2, -0.4, "a negative share is an excess"),
    ],
)
def test_what_was_saved_is_called_saved_only_where_it_was(
    told: Dossier, share: float, shared: float, says: str
) -> None:
    made = SAVED.model_copy(update={"share": share, "share_shared": shared})
    assert says in saving(told.model_copy(update={"saved": made}))


def test_nothing_is_said_of_savings_before_a_screen_or_of_e_values_before_a_test(told: Dossier) -> None:
    assert saving(told.model_copy(update={"saved": SAVED.model_copy(update={"candidates": 0})})) == ""
    assert together(told.model_copy(update={"claims": ()})) == ""
    loose = tuple(claim.model_copy(update={"exploratory": True}) for claim in told.claims)
    assert together(told.model_copy(update={"claims": loose})) == ""


def test_the_closing_report_says_what_stands_what_is_added_and_what_is_lost(told: Dossier) -> None:
    text = together(told)
    assert "Claim k1 stands, where an e-value of {closing:threshold} was enough." in text
    assert "Claim k3 is added" in text
    lost = CLOSING.model_copy(update={"stands": (), "added": (), "lost": ("k1", "k2")})
    text = together(told.model_copy(update={"closing": lost}))
    assert "No supported claim is among those that stand" in text
    assert "Claims k1 and k2 do not stand." in text
    none = CLOSING.model_copy(update={"threshold": None})
    assert "No e-value is large enough" in together(told.model_copy(update={"closing": none}))


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (challenge(ChallengeKind.CONTROL, survived=True), "survived"),
        (challenge(ChallengeKind.ABLATION, refutes=True), "refutes"),
        (challenge(ChallengeKind.CHANGE, narrows=True), "narrows"),
        (challenge(ChallengeKind.REPLICATION), "not settled"),
    ],
)
def test_the_outcome_of_a_challenge_is_one_of_four(made: Challenge, says: str) -> None:
    assert made.outcome == says
