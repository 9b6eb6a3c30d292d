from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.templates.loading import intervene, module

NAME = "offline-rl"


@pytest.fixture(scope="module")
def evaluator() -> Iterator[ModuleType]:
    with module(NAME, "evaluator", "evaluate") as loaded:
        yield loaded


@pytest.fixture(scope="module")
def log() -> Iterator[dict[str, np.ndarray]]:
    with module(NAME, "evaluator", "logs") as loaded:
        yield loaded.record("search", 1)


@pytest.fixture
def workload() -> Iterator[ModuleType]:
    with module(NAME, "workload", "run") as loaded:
        yield loaded


def write(run: Path, weights: np.ndarray, norm: np.ndarray | None = None) -> Path:
    np.save(run / "policy.npy", weights, allow_pickle=True)
    np.save(run / "norm.npy", np.array([False]) if norm is None else norm)
    return run


def test_the_log_is_a_thousand_consecutive_steps_of_two_noise_levels(log: dict[str, np.ndarray]) -> None:
    assert log["observations"].shape == log["next_observations"].shape == (1000, 4)
    assert set(np.unique(log["actions"])) == {0, 1}
    assert log["rewards"].sum() == 1000
    goes_on = ~log["ends"][:-1]
    goes_on[499] = False  # the second half begins anew
    assert (log["next_observations"][:-1][goes_on] == log["observations"][1:][goes_on]).all()
    lean = log["observations"][:, 2] + 0.02 * log["observations"][:, 3] > 0
    calm, wild = np.split(lean == log["actions"], 2)
    assert calm.mean() > 0.95 > wild.mean() > 0.75


def test_every_seed_and_split_has_its_own_log() -> None:
    with module(NAME, "evaluator", "logs") as logs:
        starts = [logs.record(split, seed)["observations"][0].tolist() for split in logs.SPLITS for seed in (1, 2)]
        assert logs.record("confirm", 2)["observations"][0].tolist() == starts[-1]
    assert len({tuple(start) for start in starts}) == 4


def test_the_workload_and_the_evaluator_build_the_same_network(
    evaluator: ModuleType, workload: ModuleType, log: dict[str, np.ndarray], tmp_path: Path
) -> None:
    for norm in (False, True):
        workload.network.LAYER_NORM = norm
        weights = workload.network.initial(np.random.default_rng(4))
        layers, read = evaluator.policy(write(tmp_path, weights, np.array([norm])))
        outputs, _ = workload.network.forward(workload.network.split(weights), log["observations"])
        assert read is norm
        assert (evaluator.act(layers, read, log["observations"]) == outputs.argmax(axis=1)).all()


@pytest.mark.parametrize("norm", [False, True])
def test_the_gradient_agrees_with_finite_differences(workload: ModuleType, norm: bool) -> None:
    network, rng = workload.network, np.random.default_rng(0)
    network.LAYER_NORM = norm
    weights, inputs, pull = network.initial(rng), rng.normal(size=(5, 4)), rng.normal(size=(5, 2))

    def loss(at: np.ndarray) -> float:
        return float((network.forward(network.split(at), inputs)[0] * pull).sum())

    _, cache = network.forward(network.split(weights), inputs)
    gradient = network.backward(network.split(weights), cache, pull)
    for index in rng.integers(0, weights.size, size=60):
        step = np.zeros_like(weights)
        step[index] = 1e-6
        slope = (loss(weights + step) - loss(weights - step)) / 2e-6
        assert gradient[index] == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_a_controller_that_balances_gets_the_full_return(evaluator: ModuleType, tmp_path: Path) -> None:
    """Two units carry plus and minus one weighted sum through both layers."""
    layers = [np.zeros(shape) for shape in evaluator.SHAPES]
    lean = np.array([0.05, 0.1, 1.0, 0.3]) * evaluator.SCALE
    layers[0][:, 0], layers[0][:, 1] = -lean, lean
    layers[2][0, 0] = layers[2][1, 1] = layers[4][0, 0] = layers[4][1, 1] = 1.0
    run = write(tmp_path, np.concatenate([layer.ravel() for layer in layers]))
    for split in evaluator.SPLITS:
        assert (evaluator.returns(*evaluator.policy(run), split, 1) == 500).all()


def test_a_constant_action_falls_at_once_and_the_splits_differ(evaluator: ModuleType, tmp_path: Path) -> None:
    policy = evaluator.policy(write(tmp_path, np.zeros(evaluator.SIZE)))
    search, confirm = (evaluator.returns(*policy, split, 1) for split in evaluator.SPLITS)
    assert 8 <= search.min() <= search.max() <= 12
    assert search.tolist() != confirm.tolist()


@pytest.mark.parametrize("name", ["conservative_penalty", "implicit_q_learning", "double_q", "shuffled_epochs"])
def test_every_learner_leaves_finite_weights_that_moved(
    workload: ModuleType, log: dict[str, np.ndarray], name: str
) -> None:
    workload.UPDATES = 50
    plain = workload.learn(log, np.random.default_rng(1))
    intervene(workload, NAME, name)
    changed = workload.learn(log, np.random.default_rng(1))
    assert np.isfinite(changed).all()
    assert changed.shape == plain.shape
    assert not np.allclose(changed, plain)


def test_learning_is_repeatable(workload: ModuleType, log: dict[str, np.ndarray]) -> None:
    workload.UPDATES = 30
    first, again = (workload.learn(log, np.random.default_rng(7)) for _ in range(2))
    assert (first == again).all()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda weights: np.full_like(weights, np.nan),
        lambda weights: np.full_like(weights, np.inf),
        lambda weights: np.full_like(weights, 1e300),
        lambda weights: weights.astype(np.float32),
        lambda weights: weights[:-1],
        lambda weights: weights[None],
        lambda weights: weights.astype(object),
    ],
    ids=["NaN", "infinite", "huge", "wrong type", "too short", "wrong shape", "pickled"],
)
def test_other_weights_are_refused(evaluator: ModuleType, tmp_path: Path, spoil) -> None:
    write(tmp_path, spoil(np.zeros(evaluator.SIZE)))
    with pytest.raises(evaluator.Refused, match=r"policy\.npy"):
        evaluator.policy(tmp_path)


@pytest.mark.parametrize("norm", [np.array(True), np.array([1]), np.array([True, False])])
def test_another_switch_is_refused(evaluator: ModuleType, tmp_path: Path, norm: np.ndarray) -> None:
    write(tmp_path, np.zeros(evaluator.SIZE), norm)
    with pytest.raises(evaluator.Refused, match=r"norm\.npy"):
        evaluator.policy(tmp_path)


def test_an_empty_folder_is_refused(evaluator: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(evaluator.Refused, match=r"wrote no policy\.npy"):
        evaluator.policy(tmp_path)
