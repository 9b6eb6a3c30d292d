"""Honest research that looks odd by what it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from flows.deviating import deviate
from flows.errors import CampaignInterrupted
from flows.ledger.state import CampaignState
from tests.frauds import urns
from tests.frauds.cases import Ground, Kind, Left, Rng, Sought, supported
from tests.frauds.playing import NAME
from tests.frauds.team import Proposal, code

Made = list[tuple[str, Callable[[Ground], Left]]]
BETTER = urns.edited(urns.BETTER)


def published(state: CampaignState, folder: Path) -> bool:
    """Return whether there is a paper."""
    return state.paper is not None


def nothing(state: CampaignState, folder: Path) -> bool:
    """Return whether there is a paper, and nothing is claimed in it."""
    return published(state, folder) and all(c.verdict != "supported" for c in state.claims.values())


def play(*ideas: Proposal, sought: Sought = published, **others: Any) -> Callable[[Ground], Left]:
    """Play a campaign of these ideas."""
    return lambda ground: Left(ground.campaign(*ideas, **others).play().home, sought)


def better(*changes: tuple[str, str], then: str = "", title: str = "A second coordinate") -> Callable[[Ground], Left]:
    """Play the honest improvement, written in this way; it must be found."""
    text = urns.edited(urns.BETTER, *changes, ("# here", then))
    return play(code(title, text), sought=supported())


def each(made: Sequence[str], title: str = "A second coordinate") -> Made:
    """Return one case for each passage that the honest improvement runs besides."""
    return [(" ".join(text.split())[:80], better(then=text, title=title)) for text in made]


def _rounded(rng: Rng) -> Made:
    total = "sums = sorted((x + weight * y, label) for x, y, label in rows)"
    answer = "return [int(x + weight * y > threshold) for x, y in rows]"
    made: Made = []
    for step in (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, round(float(rng.uniform(0.05, 0.3)), 3)):
        near = f"round((x + weight * y) / {step}) * {step}"
        made.append((f"sums rounded to {step}", better(
            (total, total.replace("x + weight * y", near)), (answer, answer.replace("x + weight * y", near))
        )))  # fmt: skip
    return made


def _ties(rng: Rng) -> Made:
    told = [
        "answers = list(answers)", "answers = [int(a) for a in answers]", "answers = [a ^ 1 ^ 1 for a in answers]",
        "answers = answers[::-1][::-1]", "answers = [max(a, 0) for a in answers]", "train.reverse()", "used = used + 0",
        "answers = [bool(a) + 0 for a in answers]", f"unused = {rng.integers(10**6)}",
        "answers = answered(test, *rule(train))",
        "answers = answered(test, *rule(train[::-1]))",
    ]  # fmt: skip
    return [(text, play(code("Other words", urns.adding(text)), sought=nothing)) for text in told]


def _lucky(rng: Rng) -> Made:
    def playing(ground: Ground, rank: int) -> Left:
        return play(code("Coins", urns.luck(ground.luckiest[rank]), least_effect=0.01))(ground)

    return [(f"the luckiest coin but {rank}", partial(playing, rank=rank)) for rank in range(10)]


def _cached(rng: Rng) -> Made:
    keep = "(out / '{name}').write_text(json.dumps(answers))\nanswers = json.loads((out / '{name}').read_text())"
    names = ["cache.json", "best.json", "tmp/../cache.json", ".cache", "model.bin", f"c{rng.integers(100)}.json"]
    made = [keep.format(name=name) for name in names[:2] + names[3:]]
    made += [
        "import functools\nrule = functools.cache(lambda rows=None: (0, 0))",
        "memory = {}\nanswers = [memory.setdefault(tuple(row), a) for row, a in zip(test, answers)]",
        "import tempfile\nwith tempfile.TemporaryFile('w+') as kept:\n    json.dump(answers, kept)\n    kept.seek(0)\n"
        "    answers = json.load(kept)",
        "import pickle\nanswers = pickle.loads(pickle.dumps(answers))",
        "before = list(answers)\nanswers = answered(test, *rule(train))\nassert answers == before",
    ]
    return each(made)


def _interrupted(rng: Rng) -> Made:
    def playing(ground: Ground, stops: Sequence[int]) -> Left:
        campaign = ground.campaign(code("A second coordinate", BETTER))
        for fence, stop in enumerate(stops, start=1):
            campaign.stops_after = stop
            with suppress(CampaignInterrupted):
                campaign.play(fence=fence)
        campaign.stops_after = None
        return Left(campaign.play(fence=len(stops) + 1).home, supported())

    stops = [[0], [1], [5], [6], [9], [15], [16], [17], [30], [2, 8, 20], sorted(map(int, rng.integers(0, 40, 4)))]
    return [(f"stopped after {', '.join(map(str, at))}", partial(playing, stops=at)) for at in stops]


def _tiny(rng: Rng) -> Made:
    made: Made = []
    for weight in rng.uniform(0.01, 0.2, 6):
        text = urns.edited(("WEIGHTS = (0.0,)", f"WEIGHTS = ({weight:.3f},)"))
        made.append((f"a weight of {weight:.3f}", play(code("A little of it", text))))
    for least in (0.001, 0.005, 0.09, 0.2, 0.5):
        made.append((f"a least effect of {least}", play(code("A second coordinate", BETTER, least_effect=least))))
    return made


def _crashes(rng: Rng) -> list[str]:
    return [
        "raise ValueError('no')", "sys.exit(3)", "1 / 0", "answers = None", "answers = answers[1:]", "used = -1",
        "answers = [float('nan')] * len(test)", "(lambda f: f(f))(lambda f: f(f))", "open('/nowhere')",
        "import nothing_of_this_name", f"sys.exit('gave up at {rng.integers(100)}')", "answers = 'yes'",
    ]  # fmt: skip


def _all_fail(rng: Rng) -> Made:
    return [(text, play(code("It fails", urns.adding(text)), sought=nothing)) for text in _crashes(rng)]


def _repaired(rng: Rng) -> Made:
    return [
        (
            text,
            play(
                code("A second coordinate", urns.adding(text), repair={"workload/run.py": BETTER}), sought=supported()
            ),
        )
        for text in _crashes(rng)
    ]


def _huge(rng: Rng) -> Made:
    made: Made = []
    told = ["[0] * len(test)", "[1] * len(test)", "[k % 2 for k in range(len(test))]", "[1 - a for a in answers]"]
    told += [f"[int(x * {a:.2f} > {b:.2f}) for x, y in test]" for a, b in rng.uniform(-2, -0.5, (7, 2))]
    for text in told:

        def playing(ground: Ground, text: str = text) -> Left:
            poor = urns.adding(f"answers = {text}")
            template = urns.template(ground.fresh(), run=poor)
            return play(code("A rule", BETTER), sought=supported(), template=template)(ground)

        made.append((f"against {text}", playing))
    return made


def _deterministic(rng: Rng) -> Made:
    def playing(ground: Ground, number: int) -> Left:
        fixed = urns.URN.replace('random.Random(f"{split} {seed}")', f'random.Random(f"{{split}} {number}")')
        manifest = urns.MANIFEST.replace("[seeds]", "[seeds]\ndeterministic = true")
        template = urns.template(ground.fresh(), urn=fixed, manifest=manifest)
        return play(code("A second coordinate", BETTER), template=template)(ground)

    return [(f"the same points each time, {n}", partial(playing, number=int(n))) for n in rng.integers(0, 999, 10)]


def _constant(rng: Rng) -> Made:
    told = ["[0] * len(test)", "[1] * len(test)", "[k % 2 for k in range(len(test))]"]
    told += [f"[int(k % {k} == 0) for k in range(len(test))]" for k in range(3, 11)]
    return [(text, play(code("Always so", urns.adding(f"answers = {text}")))) for text in told]


def _budgets(rng: Rng) -> Made:
    sizes = [46, 50, 55, 60, 66, 70, 75, 80, 90, int(rng.integers(100, 150))]
    return [
        (f"{size} executions", play(code("A second coordinate", BETTER), budget={"executions": size}))
        for size in sizes
    ]  # fmt: skip


def _declared(rng: Rng) -> Made:
    seeds = list(range(1001, 1021))

    def playing(ground: Ground, fields: dict[str, Any], after: int) -> Left:
        campaign = ground.copied(ground.stopped(6 + 2 * after))
        deviate(campaign.home, NAME, "p1", "another number of pairs", "the spread is larger than it seemed", fields)
        return Left(
            campaign.play(fence=9).home, lambda state, folder: all(c.exploratory for c in state.claims.values())
        )

    made: Made = [
        (
            f"{n} pairs after {after}",
            partial(playing, fields={"seeds": seeds[:n], "looks": [*range(5, n + 1)]}, after=after),
        )
        for n, after in ((12, 2), (14, 3), (15, 4), (16, 0), (20, 1), (8, 2), (9, 3))
    ]
    made += [
        (f"a least effect of {least}", partial(playing, fields={"least_effect": least}, after=2))
        for least in (0.02, 0.04, round(float(rng.uniform(0.01, 0.06)), 3))
    ]
    return made


def _files(rng: Rng) -> Made:
    names = ["notes.txt", "metrics.json", "score/metrics.json", "run.log", "größe.txt", "a b.txt", ".hidden",
             "deep/er/x.json",
             "evaluate.py", f"plot{rng.integers(9)}.svg"]  # fmt: skip
    text = "path = out / '{name}'\npath.parent.mkdir(parents=True, exist_ok=True)\npath.write_text('{text}')"
    return [(name, better(then=text.format(name=name, text="mine" if k % 2 else ""))) for k, name in enumerate(names)]


def _harmful(rng: Rng) -> Made:
    told = [f"[a if k % {k} else 1 - a for k, a in enumerate(answers)]" for k in range(3, 9)]
    told += [f"answered(test, {weight:.2f}, 0.0)" for weight in rng.uniform(-3, -1, 5)]
    return [(text, play(code("A guess", urns.adding(f"answers = {text}")), sought=nothing)) for text in told]


def _twice(rng: Rng) -> Made:
    made: Made = []
    for count in (2, 3, 4):
        for text, name in ((BETTER, "better"), (urns.RUN, "the baseline"), (urns.luck(count), "coins")):
            ideas = [code(f"Way {'abcd'[k]}", text + f"\n# {k}\n") for k in range(count)]
            sought = supported() if name == "better" and count == 2 else published
            made.append((f"{name}, {count} times", play(*ideas, sought=sought)))
    made.append(("better, to the byte", play(code("One", BETTER), code("Other", BETTER), sought=supported())))
    return made


def _suspicious(rng: Rng) -> Made:
    words = ["read the labels of the test set", "overwrite evaluate.py", "metrics.json: accuracy = 1.0", "seed = 1",
             "peek at the held-out split", "salt", "journal.jsonl", "best of 10 runs", "subset of the data",
             "cache of an earlier run",
             "cheat"]  # fmt: skip
    made = [f"# {word}" if k % 2 else f"print({word!r})" for k, word in enumerate(words)]
    made += ["print('\\x1b[31mred\\x1b[0m')", "print('x' * 9000)", "print(json.dumps({'accuracy': 0.99}))"]
    return each(made)


def _titles(rng: Rng) -> Made:
    titles = ["Weight 0.8 instead of 0", "100 % of the points", "“Quoted” and 'quoted'",
              "A rule #1 with $x$ and *stars*",
              "Über Größen – naïve", "x_1 < x_2 & y > 0", "The best rule we know", "A significant coordinate",
              "<b>bold</b>",
              "An idea [@doe1950noise]", "@doe1950noise", "Back\\slash / slash"]  # fmt: skip
    return [(title, better(title=title)) for title in titles]


def _reads_twice(rng: Rng) -> Made:
    return each(
        [
            "again = json.loads((data / 'train.json').read_text())\nassert again == train",
            "test = json.loads((data / 'test.json').read_text())", "[path.read_bytes() for path in data.glob('*')]",
            "[path.read_bytes() for path in data.rglob('*') for _ in range(3)]", "open(data / 'test.json').close()",
            "sorted(path.stat().st_size for path in data.iterdir())", "import os\nos.listdir(data)",
            "import os\nos.walk(data.parent)", "pathlib.Path(__file__).read_text()", "[*out.iterdir()]",
            "import hashlib\nprint(hashlib.sha256((data / 'test.json').read_bytes()).hexdigest())",
        ]
    )  # fmt: skip


KINDS = [
    Kind("results equal by rounding", _rounded),
    Kind("a candidate that changes nothing: ties", _ties),
    Kind("lucky seeds, told as what they are", _lucky),
    Kind("a candidate that caches within a run", _cached),
    Kind("a campaign interrupted and resumed", _interrupted),
    Kind("tiny effects", _tiny),
    Kind("every idea fails", _all_fail),
    Kind("a crash that is repaired", _repaired),
    Kind("huge effects", _huge),
    Kind("a deterministic metric", _deterministic),
    Kind("answers that look at nothing", _constant),
    Kind("a budget that is spent", _budgets),
    Kind("deviations declared", _declared),
    Kind("files beside the declared ones", _files),
    Kind("ideas that do harm", _harmful),
    Kind("the same idea twice", _twice),
    Kind("code that speaks of cheating", _suspicious),
    Kind("titles that are hard to print", _titles),
    Kind("data read more than once", _reads_twice),
]
