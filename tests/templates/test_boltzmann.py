from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.templates.loading import intervene, module

NAME = "boltzmann-sampling"
SHORT = 15_000
"""Enough to tell a right sampler from a wrong one, and quick."""
BIAS = 0.15


@pytest.fixture(scope="module")
def evaluator() -> Iterator[ModuleType]:
    with module(NAME, "evaluator", "evaluate") as loaded:
        yield loaded


@pytest.fixture
def workload() -> Iterator[ModuleType]:
    with module(NAME, "workload", "run") as loaded:
        yield loaded


def honest(evaluator: ModuleType, workload: ModuleType, seed: int = 1) -> list[list[int]]:
    return workload.simulate(evaluator.problem("search", seed) | {"budget": SHORT}, seed)


def write(run: Path, logs: list[list[int]], keeps: list[int] | None = None) -> Path:
    keeps = keeps or [len(log) // 20 for log in logs]
    np.save(run / "states.npy", np.concatenate([np.array(log, dtype=np.uint16) for log in logs]))
    np.save(run / "chains.npy", np.array([[len(log), keep] for log, keep in zip(logs, keeps, strict=True)]))
    return run


def test_the_exact_answer_agrees_with_sums_done_by_hand(evaluator: ModuleType) -> None:
    exact = evaluator.observables()
    assert exact["energy"].min() == exact["energy"][0] == exact["energy"][0xFFFF] == -2.0
    assert exact["energy"].max() == 2.0
    chessboard = int("0101101001011010", 2)
    assert exact["energy"][chessboard] == 2.0
    assert exact["energy"][1] == -2.0 + 8 / 16
    assert exact["magnetisation"][1] == (1 - 15) / 16
    # A high-temperature expansion to second order: energy per spin = -2/T, up to terms in 1/T^3.
    weight = evaluator.boltzmann(exact["energy"], 50.0)
    assert weight.sum() == pytest.approx(1.0)
    assert weight @ exact["energy"] == pytest.approx(-2 / 50, rel=0.01)
    assert weight @ exact["magnetisation"] == pytest.approx(0.0, abs=1e-12)


def test_the_splits_lie_on_both_sides_of_the_transition_and_share_no_temperature(evaluator: ModuleType) -> None:
    critical = 2 / np.log(1 + np.sqrt(2))
    search, confirm = (set(evaluator.TEMPERATURES[split]) for split in ("search", "confirm"))
    assert not search & confirm
    for temperatures in (search, confirm):
        assert min(temperatures) < critical < max(temperatures)


def test_an_honest_log_is_scored_and_charged_its_budget(
    evaluator: ModuleType, workload: ModuleType, tmp_path: Path
) -> None:
    metrics = evaluator.score(write(tmp_path, honest(evaluator, workload)), "search", 1)
    assert metrics["evaluations_used"] == 4 * SHORT
    assert 0 < metrics["error_energy"] < 0.2
    parts = [metrics[f"error_{name}"] for name in evaluator.observables()]
    assert metrics["observable_error"] == pytest.approx(np.mean(parts))


def test_a_cluster_flip_costs_its_spins_and_a_rejection_costs_one(evaluator: ModuleType) -> None:
    log = np.array([0, 0, 1, 0xFFFF, 0xFFFF], dtype=np.uint16)
    assert evaluator.evaluations(log) == 1 + 1 + 15 + 1


@pytest.mark.parametrize(
    "name", ["wolff", "global_flip", "heat_bath", "sequential_scan", "checkerboard", "replica_exchange"]
)
def test_every_valid_sampler_approaches_the_exact_energy(
    evaluator: ModuleType, workload: ModuleType, tmp_path: Path, name: str
) -> None:
    intervene(workload, NAME, name)
    metrics = evaluator.score(write(tmp_path, honest(evaluator, workload)), "search", 1)
    assert metrics["error_energy"] < BIAS
    assert metrics["error_abs_magnetisation"] < BIAS


def test_a_wrong_sampler_does_not(evaluator: ModuleType, workload: ModuleType, tmp_path: Path) -> None:
    """Were the chain to ignore the temperature, or keep the magnetisation, the bound above would tell."""
    right = workload.acceptance
    workload.acceptance = lambda temperature: right(1.25 * temperature)
    assert evaluator.score(write(tmp_path, honest(evaluator, workload)), "search", 1)["error_energy"] > BIAS
    intervene(workload, NAME, "spin_exchange")
    assert evaluator.score(write(tmp_path, honest(evaluator, workload)), "search", 1)["error_energy"] > BIAS


def test_samplers_combine(evaluator: ModuleType, workload: ModuleType, tmp_path: Path) -> None:
    for name in ("wolff", "global_flip", "replica_exchange"):
        intervene(workload, NAME, name)
    metrics = evaluator.score(write(tmp_path, honest(evaluator, workload)), "search", 1)
    assert metrics["observable_error"] < BIAS


def test_one_evaluation_over_the_budget_is_refused(evaluator: ModuleType, workload: ModuleType, tmp_path: Path) -> None:
    logs = workload.simulate(evaluator.problem("search", 1), 1)
    evaluator.score(write(tmp_path, logs), "search", 1)
    logs[2].append(logs[2][-1])
    with pytest.raises(evaluator.Refused, match=r"2\.5 used 100001 energy evaluations; the budget is 100000"):
        evaluator.score(write(tmp_path, logs), "search", 1)


def test_large_jumps_are_charged_as_what_they_are(evaluator: ModuleType, tmp_path: Path) -> None:
    problem = evaluator.problem("search", 1)
    logs = [[first, *np.random.default_rng(0).integers(0, 1 << 16, 50_000).tolist()] for first in problem["first"]]
    with pytest.raises(evaluator.Refused, match="the budget is"):
        evaluator.score(write(tmp_path, logs), "search", 1)


def test_another_start_is_refused(evaluator: ModuleType, workload: ModuleType, tmp_path: Path) -> None:
    logs = honest(evaluator, workload)
    logs[1][0] ^= 1
    with pytest.raises(evaluator.Refused, match="begin with the prescribed state"):
        evaluator.score(write(tmp_path, logs), "search", 1)


def test_the_log_of_another_seed_or_split_is_refused(
    evaluator: ModuleType, workload: ModuleType, tmp_path: Path
) -> None:
    write(tmp_path, honest(evaluator, workload, seed=1))
    for split, seed in (("search", 2), ("confirm", 1)):
        with pytest.raises(evaluator.Refused, match="begin with"):
            evaluator.score(tmp_path, split, seed)


def test_a_log_made_up_from_the_exact_answer_is_refused(evaluator: ModuleType, tmp_path: Path) -> None:
    """Draws at equal steps along the enumerated distribution, within the budget, are no sample."""
    problem, exact = evaluator.problem("search", 1), evaluator.observables()
    logs = []
    for first, temperature in zip(problem["first"], problem["temperatures"], strict=True):
        order = np.lexsort((exact["abs_magnetisation"], exact["energy"]))
        reached = np.cumsum(evaluator.boltzmann(exact["energy"], temperature)[order])
        logs.append([first, *order[np.searchsorted(reached, (np.arange(3000) + 0.5) / 3000)].tolist()])
    with pytest.raises(evaluator.Refused, match="this is no sample"):
        evaluator.score(write(tmp_path, logs, [1] * 4), "search", 1)


@pytest.mark.parametrize(
    ("lengths", "says"),
    [
        ([[0, 0], [30, 0], [10, 0], [10, 0]], "must be positive"),
        ([[-5, 0], [35, 0], [10, 0], [10, 0]], "must be positive"),
        ([[10, 0], [10, 0], [10, 0], [10, 0]], "add up"),
        ([[2**62, 0], [2**62, 0], [2**62, 0], [2**62 + 50, 0]], "must be positive"),
        ([[20, 20], [10, 0], [10, 0], [10, 0]], "inside its log"),
        ([[20, -1], [10, 0], [10, 0], [10, 0]], "inside its log"),
        ([[25, 0], [25, 0]], "one row per temperature"),
    ],
)
def test_lengths_that_do_not_fit_are_refused(
    evaluator: ModuleType, tmp_path: Path, lengths: list[list[int]], says: str
) -> None:
    np.save(tmp_path / "states.npy", np.zeros(50, dtype=np.uint16))
    np.save(tmp_path / "chains.npy", np.array(lengths, dtype=np.int64))
    with pytest.raises(evaluator.Refused, match=says):
        evaluator.score(tmp_path, "search", 1)


@pytest.mark.parametrize(
    "states",
    [
        np.zeros(10, dtype=np.int64),
        np.full(10, np.nan),
        np.zeros((2, 5), dtype=np.uint16),
        np.array([{"a": 1}] * 10, dtype=object),
        np.zeros(10, dtype=">u2"),
    ],
    ids=["wrong type", "NaN", "wrong shape", "pickled", "other byte order"],
)
def test_other_arrays_are_refused(evaluator: ModuleType, tmp_path: Path, states: np.ndarray) -> None:
    np.save(tmp_path / "states.npy", states, allow_pickle=True)
    np.save(tmp_path / "chains.npy", np.array([[4, 0], [2, 0], [2, 0], [2, 0]], dtype=np.int64))
    with pytest.raises(evaluator.Refused, match=r"states\.npy"):
        evaluator.score(tmp_path, "search", 1)


def test_a_header_that_promises_too_much_is_refused(evaluator: ModuleType, tmp_path: Path) -> None:
    header = b"{'descr': '<u2', 'fortran_order': False, 'shape': (1000000000000000,), }".ljust(117) + b"\n"
    (tmp_path / "states.npy").write_bytes(b"\x93NUMPY\x01\x00v\x00" + header)
    with pytest.raises(evaluator.Refused, match=r"states\.npy"):
        evaluator.score(tmp_path, "search", 1)
