"""Steps that a campaign does not choose: each one that does not follow from the journal is found and named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from flows.ledger.audit_attacks import attack_faults
from flows.ledger.audit_course import registration_faults, screen_faults
from tests.played.forging import Change, of_kind, walked
from tests.played.playing import Played

Told = list[dict[str, Any]]


def course(played: Played, change: Change) -> str:
    steps, manifest = walked(played.events, change), played.template.manifest
    checks: tuple[Iterator[str], ...] = (
        screen_faults(steps, manifest), registration_faults(steps, manifest), attack_faults(steps, manifest)
    )  # fmt: skip
    return "\n".join(fault for faults in checks for fault in faults)


def test_an_unchanged_journal_follows_from_itself(played: Played) -> None:
    assert course(played, lambda told: None) == ""


def _passed(told: Told) -> None:
    next(data for data in of_kind(told, "screened") if not data["passed"])["passed"] = True


def _effect(told: Told) -> None:
    of_kind(told, "screened")[0]["effect"] += 0.5


def _fewer_seeds(told: Told) -> None:
    of_kind(told, "screened")[0]["n"] -= 1


def _finalist(told: Told) -> None:
    of_kind(told, "finalists")[0]["ideas"] = ["i1"]


def _best_screen_run(told: Told) -> None:
    first = next(d for d in of_kind(told, "execution") if d["stage"] == "screen")
    first["metrics"]["loss"] += 1.0


def _level(told: Told) -> None:
    of_kind(told, "plan")[0]["level"] = 0.049


def _seeds(told: Told) -> None:
    plan = of_kind(told, "plan")[0]
    plan["seeds"] = [seed + 500 for seed in plan["seeds"]]


def _looks(told: Told) -> None:
    of_kind(told, "plan")[0]["looks"] = [10]


def _rule(told: Told) -> None:
    of_kind(told, "plan")[0]["rule"] = "Supported when it looks good."


def _least(told: Told) -> None:
    of_kind(told, "plan")[0]["least_effect"] = 0.1


def _aim(told: Told) -> None:
    of_kind(told, "plan")[0]["aim"] = 9.0


def _forecast(told: Told) -> None:
    of_kind(told, "plan")[0]["forecast"]["power"] = 0.5


def _fixed(told: Told) -> None:
    of_kind(told, "plan")[0]["fixed"] = ["nothing"]


def _attempts(told: Told) -> None:
    for claim in of_kind(told, "claim"):
        claim["attempts"]["candidates"] = 1
        claim["attempts"]["executions"] = 10


def _challenge_level(told: Told) -> None:
    next(data for data in of_kind(told, "plan") if data["stage"] == "challenge")["level"] = 0.5


FORGERIES = {
    "an idea passed by hand": (_passed, "The screen of idea i1"),
    "an effect at the screen": (_effect, "says effect"),
    "seeds of a screen": (_fewer_seeds, "says n"),
    "another finalist": (_finalist, "The finalists of round 1 are i1"),
    "a run of the screen": (_best_screen_run, "The screen of idea"),
    "a level": (_level, "says level 0.049"),
    "a block of seeds": (_seeds, "says seeds"),
    "looks": (_looks, "says looks"),
    "a rule in words": (_rule, "says rule"),
    "a least effect": (_least, "says least_effect"),
    "an aim": (_aim, "says aim"),
    "a forecast": (_forecast, "says forecast"),
    "what is fixed": (_fixed, "says fixed"),
    "attempts": (_attempts, "counts"),
    "the level of a challenge": (_challenge_level, "says level 0.5"),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_step_that_does_not_follow_is_found(played: Played, what: str) -> None:
    change, says = FORGERIES[what]
    assert says in course(played, change)


def _left_out(told: Told) -> None:
    registered = of_kind(told, "attacks")[0]
    registered["attacks"].pop()
    registered["left_out"] = ["changed condition with the source far away"]


def _forgotten(told: Told) -> None:
    of_kind(told, "attacks")[0]["attacks"].pop()


def _not_due(told: Told) -> None:
    registered = of_kind(told, "attacks")[0]
    registered["left_out"] = ["changed condition with the moon full"]


def _kind(told: Told) -> None:
    registered = of_kind(told, "attacks")[0]["attacks"]
    registered[1]["kind"], registered[2]["kind"] = registered[2]["kind"], registered[1]["kind"]


def _late(told: Told) -> None:
    at = next(k for k, each in enumerate(told) if each["kind"] == "attacks")
    ran = next(k for k in range(at, len(told)) if told[k]["kind"] == "claim")
    told.insert(ran - 1, told.pop(at))


def _never(told: Told) -> None:
    first = next(each for each in told if each["kind"] == "attacks")
    told.remove(first)


def _dropped_outcome(told: Told) -> None:
    claims = [each for each in told if each["kind"] == "claim" and each["data"]["id"] == "k1"]
    told.remove(claims[-1])


def _only_the_good_ones(told: Told) -> None:
    for claim in of_kind(told, "claim"):
        if claim["id"] == "k1":
            claim["challenges"] = [c for c in claim["challenges"] if not c["narrows"]]


def _reordered(told: Told) -> None:
    claim = of_kind(told, "claim")[-1]
    claim["challenges"] = claim["challenges"][::-1]


def _no_claim(told: Told) -> None:
    last = {data["id"] for data in of_kind(told, "claim")} - {"k1"}
    gone = [each for each in told if each["kind"] in ("claim", "attacks")
            and (each["data"].get("id") or each["data"].get("claim")) in last]  # fmt: skip
    for each in gone:
        told.remove(each)


def _no_plan(told: Told) -> None:
    of_kind(told, "finalists")[1]["ideas"].append("i1")


ATTACKS = {
    "an attack left out without need": (_left_out, "was left out, although the budget allowed it"),
    "an attack forgotten": (_forgotten, "is neither registered nor named as left out"),
    "an attack left out that was never due": (_not_due, "is named as left out, and was not due there"),
    "a control called a change": (_kind, "was due, and is neither registered"),
    "attacks registered late": (_late, "was registered only after executions of its plan"),
    "attacks never registered": (_never, "is supported and was never attacked"),
    "an outcome dropped": (_dropped_outcome, "does not say what came of plan"),
    "only the good challenges": (_only_the_good_ones, "Claim k1 does not say what came of plan p4"),
    "challenges in another order": (_reordered, "lists challenges that are not the attacks registered"),
    "a verdict kept back": (_no_claim, "nothing is said of what came of it"),
    "a finalist without a plan": (_no_plan, "got no plan, and nothing says why"),
}


@pytest.mark.parametrize("what", ATTACKS)
def test_an_attack_that_is_missing_or_wrong_is_found(played: Played, what: str) -> None:
    change, says = ATTACKS[what]
    assert says in course(played, change)


def test_a_plan_that_could_not_be_frozen_is_found(played: Played) -> None:
    def again(told: Told) -> None:
        plan = next(each for each in told if each["kind"] == "plan")
        told.insert(told.index(plan) + 1, {**plan, "data": {**plan["data"], "id": "p99"}})

    assert "could not be frozen: c" in course(played, again)
