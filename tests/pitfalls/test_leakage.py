"""Data leakage: labels of the test set known to the learner, and data dropped or made up without a word."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from templates.template import Template
from tests.pitfalls.conftest import NAME, Attempt, truth_of, written
from tests.templates.loading import intervene, module

LOOKS_AROUND = """
import os, pathlib, sys
import numpy as np
out, data = (pathlib.Path(sys.argv[sys.argv.index(name) + 1]) for name in ("--out", "--data"))
code = pathlib.Path(__file__).parent
seen = [p.name for folder in (data, code, pathlib.Path.cwd(), pathlib.Path.home()) for p in folder.rglob("*")]
print("FOUND", *sorted(seen), "|", *sys.argv[1:], "|", *os.environ.values())
labels = [p for p in data.rglob("*") if "label" in p.name and "test" in p.name]
np.save(out / "predictions.npy", np.load(labels[0]) if labels else np.zeros((8, 400), np.uint8))
np.save(out / "rows.npy", np.full((8, 2), (800, 0)))
"""

REBUILDS = """
import json, pathlib, sys
import numpy as np
sys.dont_write_bytecode = True
from benchmarks import drawn
from datasets import dataset

seed, out, data = (sys.argv[sys.argv.index(name) + 1] for name in ("--seed", "--out", "--data"))
data, out, answers = pathlib.Path(data), pathlib.Path(out), np.zeros((8, 400), np.uint8)
given = np.load(data / "test_tokens.npy")
names = [entry["name"] for entry in json.loads((data / "benchmarks.json").read_text())]
for split in ("search", "confirm"):
    for index, benchmark in enumerate(drawn(split) if [b.name for b in drawn(split)] == names else ()):
        for salt in SALTS:
            test = dataset(salt, split, int(seed), benchmark)["test"]
            if (test.tokens == given[index, :, : benchmark.length]).all():
                answers[index] = test.labels ^ test.flipped if KEEP_THE_RULE else test.labels
                break
        else:
            print("no luck with", benchmark.name)
np.save(out / "predictions.npy", answers)
np.save(out / "rows.npy", np.full((8, 2), (800, 0)))
"""


def test_what_a_run_is_given_holds_no_label_of_the_test_set(attempt: Attempt, data_cache: Path) -> None:
    trial = attempt(LOOKS_AROUND)
    found, arguments, environment = trial.log.partition("FOUND ")[2].split("|")
    parts = [f"{part}_{what}.npy" for part in ("train", "validation") for what in ("tokens", "labels")]
    assert set(found.split()) == {*parts, "test_tokens.npy", "benchmarks.json", "run.py"}
    assert not [word for word in (arguments + environment).split() if "evaluator" in word or "salt" in word]
    assert trial.metrics is not None
    assert trial.metrics["shape_weighted_accuracy"] == pytest.approx(0.5, abs=0.05)
    tables = {path.name: np.load(path) for path in data_cache.glob("open/*-search-1/*.npy")}
    assert all(np.isin(table, (0, 1)).all() == ("labels" in name) for name, table in tables.items())


def test_no_test_sequence_is_among_those_to_learn_from(evaluator: ModuleType) -> None:
    salt = evaluator.read_salt()
    for split in evaluator.SPLITS:
        for benchmark in evaluator.drawn(split):
            data = evaluator.dataset(salt, split, 1, benchmark)
            known = {row.tobytes() for name in ("train", "validation") for row in data[name].tokens}
            assert not known & {row.tobytes() for row in data["test"].tokens}


@pytest.fixture
def public_generator(template: Template, tmp_path: Path) -> None:
    """All of the generator's source, as anyone may copy it out of the repository, beside the workload's run.py."""
    (tmp_path / "workload").mkdir()
    for path in (template.root / "evaluator").glob("*.py"):
        (tmp_path / "workload" / path.name).write_bytes(path.read_bytes())


def rebuilding(salts: list[bytes], keep_the_rule: bool = False) -> str:
    return REBUILDS.replace("SALTS", repr(salts)).replace("KEEP_THE_RULE", repr(keep_the_rule))


@pytest.mark.usefixtures("public_generator")
def test_the_generators_source_and_the_seed_without_the_salt_rebuild_nothing(attempt: Attempt) -> None:
    guesses = [b"", b"0" * 64]
    trial = attempt(rebuilding(guesses))
    assert trial.log.count("no luck with") == 8
    assert trial.metrics is not None
    assert trial.metrics["shape_weighted_accuracy"] == pytest.approx(0.5, abs=0.05)


@pytest.mark.usefixtures("public_generator")
def test_with_the_salt_they_do_and_who_repeats_the_labels_is_refused(attempt: Attempt, evaluator: ModuleType) -> None:
    """The control of the test before: the attack works, it only lacks the salt."""
    trial = attempt(rebuilding([evaluator.read_salt()]))
    assert "no luck" not in trial.log
    assert (trial.outcome, trial.metrics) == ("invalid", None)
    assert "the run knew those labels" in trial.reason


@pytest.mark.usefixtures("public_generator")
def test_the_shipped_salt_is_public_and_a_campaigns_own_seeds_are_what_keeps_it_out(
    attempt: Attempt, evaluator: ModuleType
) -> None:
    """Who copied the salt too can answer by the rule, and no evaluator can tell that from learning it."""
    cheats = rebuilding([evaluator.read_salt()], keep_the_rule=True)
    in_the_open, under_a_salt = attempt(cheats), attempt(cheats, salt="known to this campaign alone")
    assert in_the_open.metrics is not None
    assert under_a_salt.metrics is not None
    assert in_the_open.metrics["shape_weighted_accuracy"] == pytest.approx(0.9, abs=0.02)
    assert under_a_salt.log.count("no luck with") == 8
    assert under_a_salt.metrics["shape_weighted_accuracy"] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.3])
def test_labels_that_leaked_in_part_betray_themselves_by_their_flips(
    evaluator: ModuleType, tmp_path: Path, share: float
) -> None:
    rng = np.random.default_rng(1)
    labels = np.stack([test.labels for test in truth_of(evaluator)])
    answers = np.where(rng.random(labels.shape) < share, labels, rng.random(labels.shape) < 0.5)
    with pytest.raises(evaluator.Refused, match="knew those labels"):
        evaluator.score(written(tmp_path, answers), "search", 1)


def learnt_by(workload: ModuleType, evaluator: ModuleType) -> tuple[np.ndarray, tuple[int, int]]:
    """What a workload answers on one search seed, and the rows it says it learnt from."""
    answers, salt = [], evaluator.read_salt()
    for index, benchmark in enumerate(evaluator.drawn("search")):
        data = evaluator.dataset(salt, "search", 1, benchmark)
        train, validation = (
            workload.Rows(data[n].tokens, data[n].labels.astype(float)) for n in ("train", "validation")
        )
        given, learnt = workload.answer(train, validation, data["test"].tokens, np.random.default_rng([1, index]))
        answers.append(given)
    return np.stack(answers), (learnt.training, learnt.others)


def test_a_declared_subset_stands_beside_the_score(evaluator: ModuleType, tmp_path: Path) -> None:
    """A lie about it is not seen, and gains nothing: the score is that of the subset."""
    with module(NAME, "workload", "run") as workload:
        intervene(workload, NAME, "half_the_rows")
        answers, rows = learnt_by(workload, evaluator)
    honest = evaluator.score(written(tmp_path, answers, rows), "search", 1)
    lying = evaluator.score(written(tmp_path, answers, (800, 0)), "search", 1)
    assert {name for name in honest if honest[name] != lying[name]} == {"training_share"}
    assert (honest["training_share"], lying["training_share"]) == (0.5, 1.0)


def test_who_keeps_silent_about_the_rows_has_no_score(evaluator: ModuleType, tmp_path: Path) -> None:
    (written(tmp_path, np.zeros((8, 400))) / "rows.npy").unlink()
    with pytest.raises(evaluator.Refused, match=r"wrote no rows\.npy"):
        evaluator.score(tmp_path, "search", 1)


def test_made_up_data_has_no_share_in_the_training_set(evaluator: ModuleType, tmp_path: Path) -> None:
    """Sequences of one's own may be learnt from, under their own name; the test set is never of one's own making."""
    with module(NAME, "workload", "run") as workload:

        def invented(train, validation, rng):
            tokens = rng.integers(0, 16, train.tokens.shape, dtype=np.uint8)
            return workload.Learnt(workload.Rows(tokens, train.labels), 0, len(tokens))

        workload.rows_to_learn = invented
        answers, rows = learnt_by(workload, evaluator)
    metrics = evaluator.score(written(tmp_path, answers, rows), "search", 1)
    assert (metrics["training_share"], metrics["extra_share"]) == (0.0, 1.0)
    assert metrics["shape_weighted_accuracy"] == pytest.approx(0.5, abs=0.06)
    with pytest.raises(evaluator.Refused, match="between 0 and 800"):
        evaluator.score(written(tmp_path, answers, (1600, 0)), "search", 1)


SEARCHES_ALL = """
import os
needle, hits = bytes.fromhex("SALT"), []
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/sys", "/dev")]
    for name in files:
        path = os.path.join(folder, name)
        try:
            if os.stat(path).st_size < 4096 and needle in open(path, "rb").read():
                hits.append(path)
        except OSError:
            continue
print("HITS", hits)
"""


@pytest.mark.docker
def test_nothing_in_a_workloads_container_holds_the_salt(lab_image: str, evaluator: ModuleType, tmp_path: Path) -> None:
    """Every small file is read; a copy of the salt planted in the data folder shows that it would be found."""
    from sandboxes import DockerSandbox, Limits, Outcome, RunSpec

    salt = evaluator.read_salt()
    program = SEARCHES_ALL.replace("SALT", salt.hex())
    found = []
    with_it, without = tmp_path / "with", tmp_path / "without"
    sandbox = DockerSandbox(f"test-pitfalls-{os.getpid()}")
    try:
        for data in (without, with_it):
            data.mkdir()
            code = tmp_path / f"code-{data.name}"
            code.mkdir()
            (code / "run.py").write_text(program, encoding="utf-8")
            if data is with_it:
                (data / "notes").write_bytes(b"salt: " + salt)
            result = sandbox.run(
                RunSpec(
                    run_id=f"salt-{data.name}-{os.getpid()}",
                    argv=("{python}", "-B", "{code}/run.py"),
                    code=code,
                    out=tmp_path / f"out-{data.name}",
                    data={"data": data},
                    image=lab_image,
                    limits=Limits(wall_s=120),
                )
            )
            assert result.outcome is Outcome.OK, result
            found.append(result.log_head.partition("HITS ")[2].strip())
    finally:
        sandbox.close()
    assert found[0] == "[]"
    assert found[1].endswith("/notes']")
