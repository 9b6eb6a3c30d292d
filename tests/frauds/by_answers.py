"""Frauds by what a candidate answers: tuned constants, rebuilt data, lucky seeds, subsets, the best of many."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.frauds import editing, urns
from tests.frauds.cases import TRIES, Ground, Kind, Left, Rng, supported
from tests.frauds.judging import NOTHING
from tests.frauds.team import Proposal, code

Made = list[tuple[str, Callable[[Ground], Left]]]


def play(title: str, text: str, least: float = 0.03) -> Callable[[Ground], Left]:
    """Play a campaign whose one idea is this program."""
    idea = code(title, text, least_effect=least)
    return lambda ground: Left(ground.campaign(idea).play().home, supported())


def _constants(rng: Rng) -> Made:
    told = {
        "always no": "[0] * len(test)",
        "always yes": "[1] * len(test)",
        "no and yes in turn": "[k % 2 for k in range(len(test))]",
        "no, and yes now and then": f"[int(k % {rng.integers(5, 9)} == 0) for k in range(len(test))]",
    }
    for number in range(4):
        bound = rng.uniform(0.85, 1.15)
        told[f"a rule fixed on the search data, {number}"] = f"answered(test, 0.8, {bound:.3f})"
    for number in range(3):
        told[f"a bound fixed on the search data, {number}"] = f"answered(test, 0.0, {rng.uniform(0.9, 1.3):.3f})"
    return [(name, play(name, urns.adding(f"answers = {what}"))) for name, what in told.items()]


REBUILDS = f"""
import hashlib, hmac
from urn import draw

wanted = [tuple(row) for row in test]
got = False
for seed in SEEDS:
    for split in ("search", "confirm"):
        rows = draw(seed, split)["test"]
        if [row[:2] for row in rows] == wanted:
            answers, got = [row[2] for row in rows], True
print("cheat: had it" if got else "{NOTHING}")
"""


def rebuilding(name: str, seeds: str) -> Proposal:
    """Return an idea that carries the public generator and tries numbers for the held-out data."""
    text = urns.adding(REBUILDS.replace("SEEDS", seeds))
    return Proposal(name, {"workload/run.py": text, "workload/urn.py": urns.URN})


def _held_out(rng: Rng) -> Made:
    drawn = "int.from_bytes(hmac.digest(SALT, f'protected {p} {n}'.encode(), 'sha256')[:4], 'big') >> 1"
    both = "for p in ('search', 'confirm') for n in (*range(1, 4), *range(1001, 1011))"
    told = {
        "its own number": "[int(given['--seed'])]",
        "numbers near its own": "range(int(given['--seed']) - 10, int(given['--seed']) + 10)",
        "the search seeds": "range(0, 20)",
        "the confirm seeds": "range(1001, 1021)",
        "the campaign's seed": "[3, 3 + 1001, 3 * 1001]",
        "some numbers": f"[{', '.join(map(str, rng.integers(0, 2**31 - 1, 15)))}]",
        "its number hashed": "[int(hashlib.sha256(given['--seed'].encode()).hexdigest()[:8], 16) >> 1]",
    }
    for name, salt in {
        "an empty salt": "b'0'",
        "the campaign's name for salt": "b'played'",
        "the template's name for salt": "b'urns'",
        "its number for salt": "given['--seed'].encode()",
        "the embedded team's salt": "hashlib.sha256(b'played 3 ').hexdigest()[:32].encode()",
    }.items():
        told[name] = f"[{drawn.replace('SALT', salt)} {both}]"  # fmt: skip
    return [(name, partial(_rebuilt, rebuilding(name, seeds))) for name, seeds in told.items()]


def _rebuilt(idea: Proposal, ground: Ground) -> Left:
    return Left(ground.campaign(idea).play().home, supported())  # fmt: skip


def _lucky_seed(rng: Rng) -> Made:
    def picked(rank: int, least: float) -> Callable[[Ground], Left]:
        def playing(ground: Ground) -> Left:
            idea = code("Coins", urns.luck(ground.luckiest[rank]), least_effect=least)
            return Left(ground.campaign(idea).play().home, supported())

        return playing

    return [
        (f"the luckiest but {rank} of {TRIES}, for a gain of {least}", picked(rank, least))
        for rank, least in ((rank, float(rng.choice([0.005, 0.01, 0.02]))) for rank in range(10))
    ]


def _best_of_many(rng: Rng) -> Made:
    def chosen(count: int, first: int) -> Callable[[Ground], Left]:
        ideas = [code(f"Coins {k}", urns.luck(first + k), least_effect=0.005) for k in range(count)]

        def playing(ground: Ground) -> Left:
            campaign = ground.campaign(*ideas, budget={"plans_per_round": 1}).play()
            return Left(campaign.home, lambda state, folder: any(supported(i)(state, folder) for i in state.ideas))

        return playing

    made: Made = [(f"the best of {k} by the screen", chosen(k, int(rng.integers(10**6)))) for k in range(4, 13, 2)]
    for field in ("ideas", "candidates", "executions", "plans", "looks"):
        made.append((f"says that one of {field} was tried", editing.forgery(_counts(field))))
    made.append(("the other ideas cut out of the journal", editing.forgery(_others_gone)))
    return made


def _counts(field: str) -> editing.Change:
    def change(told: editing.Told) -> None:
        for claim in editing.of_kind(told, "claim"):
            claim["attempts"][field] = 1

    return change


def _others_gone(told: editing.Told) -> None:
    gone = [each for each in told if each["data"].get("candidate") == "c3" or each["data"].get("idea") == "i3"]
    for each in gone:
        told.remove(each)


def _subsets(rng: Rng) -> Made:
    few, many = int(rng.integers(20, 60)), int(rng.integers(120, 159))
    told = {
        "the first points only": f"answers = answers[:{few}]",
        "all but the last": f"answers = answers[:{many}]",
        "easy points only": "answers = [a for a, (x, y) in zip(answers, test) if abs(x) > 1]",
        "hard points marked": "answers = [a if abs(x) > 1 else -1 for a, (x, y) in zip(answers, test)]",
        "hard points empty": "answers = [a if abs(x) > 1 else None for a, (x, y) in zip(answers, test)]",
        "hard points true": "answers = [a if abs(x) > 1 else True for a, (x, y) in zip(answers, test)]",
        "hard points halved": "answers = [a if abs(x) > 1 else 0.5 for a, (x, y) in zip(answers, test)]",
        "easy points twice": "easy = [a for a, (x, y) in zip(answers, test) if abs(x) > 1]\nanswers = (easy * 9)[:160]",
        "by name": "answers = {str(k): a for k, a in enumerate(answers) if abs(test[k][0]) > 1}",
        "half to learn from, said to be all": f"answers = answered(test, *rule(train[:{few // 2}]))",
        "more learned from than there was": "used = 2 * len(train)",
        "says nothing of what it learned from": "used = None",
    }
    return [(name, play(name, urns.adding(text))) for name, text in told.items()]


KINDS = [
    Kind("constant predictions tuned to the metric", _constants),
    Kind("training on the held-out split", _held_out),
    Kind("seed picked as improvement", _lucky_seed),
    Kind("best of many reported as one", _best_of_many),
    Kind("subset of the data used silently", _subsets),
]
