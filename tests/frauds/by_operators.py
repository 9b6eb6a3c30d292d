"""Frauds by whoever runs the campaign: peeking, switching the metric, results that were never run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from typing import Any

from agents.records import Execution, Stage
from flows.deviating import deviate
from flows.executions import ExecutionRequest, folder_of
from flows.opened import OpenCampaign
from tests.frauds import editing, urns
from tests.frauds.cases import Ground, Kind, Left, Rng, Sought, as_it_lies, supported
from tests.frauds.editing import Told, of_kind
from tests.frauds.playing import NAME, Campaign, Runner, run_one
from tests.frauds.team import Proposal, code

Made = list[tuple[str, Callable[[Ground], Left]]]
Pick = Callable[[OpenCampaign, ExecutionRequest], Execution | None]
"""Which execution that was run is passed off as the one that is asked for, if any."""
Shake = Callable[[bytes, int], bytes] | None
"""What is done to a copied result, given the seed that it is to be of, so that it looks like one of its own."""


def changed(fields: Mapping[str, Any], after: int = 3, what: str = "a look that suits") -> Callable[[Ground], Left]:
    """Look at what came out of the first pairs, change the plan to it, and go on."""

    def playing(ground: Ground) -> Left:
        campaign = ground.copied(ground.stopped(6 + 2 * after))
        deviate(campaign.home, NAME, "p1", what, "it looks good", dict(fields))
        return Left(campaign.play(fence=9).home, supported())

    return playing


def _peeking(rng: Rng) -> Made:
    seeds = list(range(1001, 1011))
    made: Made = [
        (f"ends at pair {n}, where it looks good", changed({"seeds": seeds[:n], "looks": [n]}, n)) for n in (2, 3, 4)
    ]
    for level in (0.2, 0.5, 0.9):
        made.append((f"a level of {level} once it looks good", changed({"level": level})))
    made.append(("an effect of any size will do", changed({"least_effect": 0.001})))
    made.append(("ends before it can get worse", changed({"looks": [5], "seeds": seeds[:5]})))

    def plan(field: str, value: object) -> editing.Change:
        def change(told: Told) -> None:
            of_kind(told, "plan")[0][field] = value

        return change

    def verdict(told: Told) -> None:
        claim = next(each for each in of_kind(told, "claim") if each["verdict"] != "supported")
        claim |= {"verdict": "supported", "reason": "The t-test gives p < 0.05.", "interval": [0.01, 0.02]}

    made += [
        (f"looks registered as {looks}", editing.forgery(plan("looks", looks)))
        for looks in ([2, 10], [int(rng.integers(3, 5)), 10])
    ]
    made.append(("a level registered as 0.05 of many", editing.forgery(plan("level", 0.9))))
    made.append(("a t-test in the place of the verdict", editing.forgery(verdict, of="fallen")))
    return made


def _metric_switched(rng: Rng) -> Made:
    better = urns.edited(urns.BETTER)
    made: Made = []
    for metric in ("accuracy_near", "rows_share", "wins"):

        def proposed(ground: Ground, metric: str = metric) -> Left:
            idea = code("Another metric", better, metric=metric)
            return Left(ground.campaign(idea).play().home, supported())

        made.append((f"an idea about {metric}", proposed))
    for fields in ({"metric": "accuracy_near"}, {"metric": "rows_share"}, {"maximize": False}):
        made.append((f"deviates to {fields}", changed(fields)))
    turned = urns.MANIFEST.replace('"accuracy_near"]', '"accuracy"]')
    manifest = turned.replace('name = "accuracy"', 'name = "accuracy_near"')
    for name, text in {
        "by a patch of the manifest": manifest,
        "by a patch that turns it round": urns.MANIFEST.replace("maximize", "minimize"),
    }.items():
        idea = Proposal("Another manifest", {"template.toml": text, "workload/run.py": better})
        made.append((name, lambda ground, idea=idea: Left(ground.campaign(idea).play().home, supported())))  # fmt: skip

    def on_disk(ground: Ground) -> Left:
        root = ground.fresh()
        template = urns.template(root)
        campaign = ground.copied(ground.stopped(10), template=template)
        urns.template(root, manifest=manifest)
        template = type(template)(template.root)
        campaign.template = template
        return Left(campaign.play(fence=2).home, supported())

    made.append(("in the template, between two runs", on_disk))

    def forged(kind: str, field: str, value: object) -> editing.Change:
        def change(told: Told) -> None:
            for each in of_kind(told, kind):
                each[field] = value

        return change

    for kind, field, value in (("plan", "metric", "accuracy_near"), ("claim", "metric", "accuracy_near"),
                               ("plan", "maximize", False)):  # fmt: skip
        made.append((f"{kind}.{field} in the journal", editing.forgery(forged(kind, field, value))))
    return made


def passing_off(pick: Pick, shake: Shake = None) -> Runner:
    """Return a runner that records the files and numbers of an execution that was run as those of another."""

    def run(campaign: OpenCampaign, request: ExecutionRequest) -> Any:
        source, honest = pick(campaign, request), run_one(campaign, request)
        if source is None:
            return honest
        folder, theirs = folder_of(campaign, request.key), folder_of(campaign, source.key)
        shutil.rmtree(folder)
        shutil.copytree(theirs, folder)
        if shake is not None:
            path = folder / "out" / "answers.json"
            path.write_bytes(shake(path.read_bytes(), request.seed))
        files = {name: sha256((folder / name).read_bytes()).hexdigest() for name in source.artifacts}
        return honest.model_copy(update={"metrics": source.metrics, "artifacts": files})

    return run


def first_of(candidate: str, stages: tuple[Stage, ...], every: int = 1, **wanted: Any) -> Pick:
    """Pick the first execution of a candidate at a stage, for every so many requests of it."""

    def pick(campaign: OpenCampaign, request: ExecutionRequest) -> Execution | None:
        if request.candidate != candidate or request.stage not in stages or request.seed % every:
            return None
        ran = campaign.state.executions.values()
        return next(
            (e for e in ran if e.candidate == wanted.get("of", candidate)
             and e.stage in wanted.get("at", stages) and e.seed != request.seed), None)  # fmt: skip

    return pick


def insider(pick: Pick, *ideas: str, sought: Sought | None = None, shake: Shake = None) -> Callable[[Ground], Left]:
    """Play a campaign, of one idea per program, whose operator passes results off."""
    proposed = [code(f"Program {number}", text, least_effect=0.01) for number, text in enumerate(ideas, start=1)]
    return lambda ground: Left(
        ground.campaign(*proposed, runner=passing_off(pick, shake)).play().home, sought or supported()
    )


CONFIRM, CHALLENGE, SCREEN = (Stage.CONFIRM,), (Stage.CHALLENGE,), (Stage.SCREEN,)
BETTER = urns.edited(urns.BETTER)


def _duplicates(rng: Rng) -> Made:
    told = {
        "every replication is the first one": first_of("c1", CONFIRM),
        "every second replication": first_of("c1", CONFIRM, 2),
        "every third replication": first_of("c1", CONFIRM, 3),
        "the screen too": first_of("c1", (*SCREEN, *CONFIRM)),
        "the screen alone": first_of("c1", SCREEN),
        "both sides of a pair": lambda c, r: first_of(r.candidate, CONFIRM)(c, r),
        "the baseline's": first_of("c0", CONFIRM),
        "challenges out of the confirmation": first_of("c1", CHALLENGE, at=CONFIRM),
        "challenges out of themselves": first_of("c1", CHALLENGE),
        "the confirmation out of the screen": first_of("c1", CONFIRM, at=SCREEN),
    }
    made: Made = [(name, insider(pick, BETTER)) for name, pick in told.items()]

    def twice(told: Told) -> None:
        runs = [each for each in of_kind(told, "execution") if each["stage"] == "confirm"]
        one, *others = [run for run in runs if run["candidate"] == runs[0]["candidate"]]
        for other in others[: int(rng.integers(1, 4))]:
            other |= {"metrics": one["metrics"], "artifacts": one["artifacts"]}

    made.append(("in the journal, afterwards", editing.forgery(twice)))
    return made


def _copied(rng: Rng) -> Made:
    coins = urns.luck(int(rng.integers(10**6)))
    told = {
        "its screen and confirmations": first_of("c2", (*SCREEN, *CONFIRM), of="c1"),
        "every second of them": first_of("c2", (*SCREEN, *CONFIRM), 2, of="c1"),
        "its screen": first_of("c2", SCREEN, of="c1"),
        "its confirmations, out of the screen": first_of("c2", (*SCREEN, *CONFIRM), of="c1", at=SCREEN),
        "the baseline's, for the control": first_of("c1", CHALLENGE, of="c0", at=CONFIRM),
    }
    made: Made = [(name, insider(pick, BETTER, coins, sought=as_it_lies)) for name, pick in told.items()]

    for name in ("out/answers.json", "score/metrics.json", "all of it"):
        made.append((f"{name} on disk", editing.edit(partial(_over, name))))

    def events(fields: tuple[str, ...]) -> editing.Change:
        def change(told: Told) -> None:
            runs = of_kind(told, "execution")
            one = next(run for run in runs if run["candidate"] == "c1")
            other = next(run for run in runs if run["candidate"] == "c3")
            other |= {field: one[field] for field in fields}

        return change

    for fields in (("metrics",), ("metrics", "artifacts"), ("candidate",)):
        made.append((f"{' and '.join(fields)} in the journal", editing.forgery(events(fields))))
    return made


def _over(name: str, campaign: Campaign) -> None:
    """Put a file of the better candidate's first run, or all of them, over those of another's."""
    runs = campaign.state.executions.values()
    one = next(e for e in runs if e.candidate == "c1" and e.stage == "screen")
    other = next(e for e in runs if e.candidate == "c3" and e.seed == one.seed)
    theirs, ours = (campaign.folder / "executions" / each.key for each in (one, other))
    if name == "all of it":
        shutil.rmtree(ours)
        shutil.copytree(theirs, ours)
    else:
        shutil.copyfile(theirs / name, ours / name)


def under(condition: str, stages: tuple[Stage, ...], every: int = 1) -> Pick:
    """Pick, for runs under a condition, the candidate's first run at some stages: without one, or under the same."""

    def pick(campaign: OpenCampaign, request: ExecutionRequest) -> Execution | None:
        if request.condition != condition or request.seed % every:
            return None
        ran = (e for e in campaign.state.executions.values() if e.candidate == request.candidate and e.stage in stages)
        return next((e for e in ran if e.stage in CONFIRM or e.condition == condition), None)

    return pick


def _identical(rng: Rng) -> Made:
    made: Made = []
    for condition in ("shuffled", "fewer"):
        for every in (1, 2):
            made.append((f"runs with {condition}, every {every}", insider(under(condition, CONFIRM, every), BETTER)))
        made.append((f"one run with {condition} for all", insider(under(condition, CHALLENGE), BETTER)))
    for number in range(3):
        text = urns.adding(f"answers = answered(test, 0.8, {rng.uniform(-1.2, -0.8):.3f})")
        made.append((f"a rule that looks at no data, {number}", insider(lambda c, r: None, text)))
    made.append(("the same numbers in the journal", editing.forgery(_same)))
    made.append(("conditions exchanged in the journal", editing.forgery(_relabelled)))
    return made


def _same(told: Told) -> None:
    runs = of_kind(told, "execution")
    one = next(run for run in runs if run["candidate"] == "c1" and run["condition"] == "fewer")
    for run in runs:
        if run["candidate"] == "c1" and run["condition"] == "shuffled":
            run |= {"metrics": one["metrics"], "artifacts": one["artifacts"]}


def _relabelled(told: Told) -> None:
    for run in of_kind(told, "execution"):
        run["condition"] = {"shuffled": "fewer", "fewer": "shuffled"}.get(run["condition"], run["condition"])


KINDS = [
    Kind("peeking with a naive test", _peeking),
    Kind("metric switched after the results", _metric_switched),
    Kind("duplicate executions as replications", _duplicates),
    Kind("results copied from another candidate", _copied),
    Kind("identical results across conditions", _identical),
]
