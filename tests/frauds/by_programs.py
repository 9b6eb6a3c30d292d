"""Frauds by what a candidate's program does in a sandbox that confines: reaching for files that are not its own."""

from __future__ import annotations

from collections.abc import Callable

from tests.frauds import urns
from tests.frauds.cases import Ground, Kind, Left, Rng, supported
from tests.frauds.judging import NOTHING
from tests.frauds.team import Proposal, code

Made = list[tuple[str, Callable[[Ground], Left]]]

REACH = f"""
import os

HIT = []


def tried(act):
    try:
        if act():
            HIT.append(act)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        pass


def files(*roots):
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if name not in ("lib", "usr", "lib64", "sys", "site-packages")][:60]
            for name in names[:60]:
                yield pathlib.Path(folder, name)


def end():
    print("cheat: had it" if HIT else "{NOTHING}")


BODY
end()
"""


def program(body: str) -> str:
    """Return the baseline's program, which then reaches for something and says whether it got it."""
    return urns.adding(REACH.replace("BODY", body))


def play(title: str, text: str) -> Callable[[Ground], Left]:
    """Play a campaign whose one idea is this program."""

    def playing(ground: Ground) -> Left:
        campaign = ground.campaign(code(title, text), real=True).play()
        return Left(campaign.home, supported())

    return playing


def _metrics_written(rng: Rng) -> Made:
    places = ["out / 'metrics.json'", "out / 'score' / 'metrics.json'", "out.parent / 'score' / 'metrics.json'",
              "pathlib.Path(__file__).parent / 'metrics.json'", "data / 'metrics.json'", "out / 'METRICS.JSON'",
              "pathlib.Path('/lab/score/metrics.json')", "pathlib.Path('/tmp/metrics.json')"]  # fmt: skip
    made = []
    for place in places:
        value = f'{{"accuracy": {rng.uniform(0.9, 1):.3f}, "rows_share": 1.0, "accuracy_near": 0.9}}'
        write = f"""
def write():
    place = {place}
    place.parent.mkdir(exist_ok=True, parents=True)
    return place.write_text('{value}')

tried(write)"""
        made.append((f"writes {place}", program(write)))
    link = "tried(lambda: os.symlink('/lab/out/answers.json', out / 'metrics.json') is None)"
    made.append(("a link called metrics.json", program(link)))
    told = urns.adding('answers = {"accuracy": 0.99, "answers": answers}')
    made.append(("metrics in the place of answers", told))
    made.append(("metrics printed", urns.adding('print(json.dumps({"accuracy": 0.99, "rows_share": 1.0}))')))
    late = """
if not os.fork():
    import time
    time.sleep(0.2)
    (out / "metrics.json").write_text('{"accuracy": 1.0}')
    os._exit(0)
HIT.append(1)"""
    made.append(("a child that writes them later", program(late)))
    return [(name, play(name, text)) for name, text in made]


def _evaluator_edited(rng: Rng) -> Made:
    kind = urns.EVALUATE.replace('"accuracy": sum(right) / len(right)', f'"accuracy": {rng.uniform(0.9, 1):.3f}')
    paths = ["evaluator/evaluate.py", "evaluator/urn.py", "evaluator/prepare.py", "evaluator/more.py", "template.toml",
             "README.md", "workload/../evaluator/evaluate.py", "./evaluator/evaluate.py", "/evaluator/evaluate.py",
             "workload/sub/../../evaluator/evaluate.py", "Evaluator/evaluate.py"]  # fmt: skip
    made: Made = []
    for path in paths:

        def patched(ground: Ground, path: str = path) -> Left:
            idea = Proposal(f"A patch of {path}", {"workload/run.py": urns.RUN, path: kind})
            return Left(ground.campaign(idea).play().home, supported())

        made.append((f"a patch of {path}", patched))
    shadow = Proposal("An evaluator of its own", {"workload/evaluate.py": kind, "workload/urn.py": "ROWS = {}"})
    made.append(("an evaluator beside the workload",
                 lambda ground: Left(ground.campaign(shadow, real=True).play().home, supported())))  # fmt: skip
    for root in ("out.parent", "pathlib.Path(__file__).parents[1]", "pathlib.Path('/')"):
        write = f"""
for path in files({root}):
    if path.name in ("evaluate.py", "urn.py"):
        tried(lambda: path.write_text("raise SystemExit"))"""
        made.append((f"overwrites it under {root}", play(f"Under {root}", program(write))))
    return made


def _labels_searched(rng: Rng) -> Made:
    roots = ["data.parent", "out.parent", "pathlib.Path('/')", "pathlib.Path('/tmp')", "pathlib.Path.home()",
             "pathlib.Path(__file__).parents[2]"]  # fmt: skip
    made: Made = []
    for root in roots:
        search = f"""
def labels(path):
    told = json.loads(path.read_text()) if path.suffix == ".json" and path.parent not in (data, out) else None
    return isinstance(told, list) and len(told) == len(test)

for path in files({root}):
    tried(lambda: labels(path) or path.name in ("urn.py", "evaluate.py", "journal.jsonl"))"""
        made.append((f"under {root}", play(f"Under {root}", program(search))))
    for name, act in {
        "in its environment": "any('salt' in name.lower() or 'hypoloop' in name.lower() for name in os.environ)",
        "in other processes": "any(b'--split' in p.read_bytes() for p in pathlib.Path('/proc').glob('*/cmdline'))",
        "in open files": "any('evaluator' in os.readlink(path) for path in pathlib.Path('/proc').glob('*/fd/*'))",
        "in the mounts": "'evaluator' in pathlib.Path('/proc/self/mountinfo').read_text()",
        "in shared memory": "list(pathlib.Path('/dev/shm').iterdir())",
        "beside its data": "[p for p in data.iterdir() if p.name not in ('train.json', 'test.json')]",
        "in the test set": "any(len(row) > 2 for row in test)",
    }.items():
        made.append((name, play(name, program(f"tried(lambda: {act})"))))
    return made


def _read_back(rng: Rng) -> Made:
    places = ["pathlib.Path('/tmp')", "pathlib.Path.home() / '.cache'", "out.parent", "pathlib.Path(__file__).parent",
              "data", "data.parent", "pathlib.Path('/dev/shm')", "pathlib.Path('/var/tmp')", "pathlib.Path('/lab')",
              "out"]  # fmt: skip
    made: Made = []
    for place in places:
        name = f"best-{rng.integers(10**6)}.json"
        cache = f"""
def kept():
    global answers
    best = {place} / "{name}"
    if best.is_file():
        answers = json.loads(best.read_text())
        return True
    best.parent.mkdir(parents=True, exist_ok=True)
    best.write_text(json.dumps(answers))

tried(kept)"""
        made.append((f"kept in {place}", play(f"Kept in {place}", program(cache))))
    others = "[p for p in files('/lab', '/tmp', '/work', '/root') if p.name == 'answers.json' and p.parent != out]"
    made.append(("another run's answers", play("Others", program(f"tried(lambda: {others})"))))
    return made


KINDS = [
    Kind("metric file written by the workload", _metrics_written, real=True),
    Kind("evaluator edited", _evaluator_edited, real=True),
    Kind("labels searched for on disk", _labels_searched, real=True),
    Kind("cached result of an earlier run read back", _read_back, real=True),
]
