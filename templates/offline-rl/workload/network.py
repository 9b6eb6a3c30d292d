"""A small multilayer perceptron in numpy: forward, backward, and the Adam optimiser over one flat vector."""

from __future__ import annotations

import numpy as np

SCALE = np.array([2.4, 3.0, 0.21, 3.0])
SHAPES = ((4, 32), (32,), (32, 32), (32,), (32, 2), (2,))
LAYER_NORM = False
ADAM_EPSILON = 1e-8


def split(weights: np.ndarray) -> list[np.ndarray]:
    """Return views of a flat vector of weights, one per entry of SHAPES."""
    layers, start = [], 0
    for shape in SHAPES:
        size = int(np.prod(shape))
        layers.append(weights[start : start + size].reshape(shape))
        start += size
    return layers


def initial(rng: np.random.Generator) -> np.ndarray:
    """Return He-initialised weights as one flat vector."""
    parts = [
        rng.normal(0.0, np.sqrt(2.0 / shape[0]), size=shape) if len(shape) == 2 else np.zeros(shape) for shape in SHAPES
    ]
    parts[4] *= 0.1
    return np.concatenate([part.ravel() for part in parts])


def normalise(hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each row with mean 0 and variance 1, and what it was divided by."""
    centred = hidden - hidden.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=1, keepdims=True) + 1e-5)
    return centred / spread, spread


def forward(layers: list[np.ndarray], observations: np.ndarray) -> tuple[np.ndarray, list[tuple]]:
    """Return the two outputs for each observation, and what `backward` needs."""
    inputs, cache = observations / SCALE, []
    for weights, bias in ((layers[0], layers[1]), (layers[2], layers[3])):
        hidden, spread = inputs @ weights + bias, None
        if LAYER_NORM:
            hidden, spread = normalise(hidden)
        cache.append((inputs, hidden, spread))
        inputs = np.maximum(hidden, 0.0)
    cache.append((inputs, None, None))
    return inputs @ layers[4] + layers[5], cache


def backward(layers: list[np.ndarray], cache: list[tuple], gradient: np.ndarray) -> np.ndarray:
    """Return the gradient with respect to the flat weights, given that with respect to the outputs."""
    parts: list[np.ndarray] = []
    for depth in (2, 1, 0):
        inputs = cache[depth][0]
        parts[:0] = [(inputs.T @ gradient).ravel(), gradient.sum(axis=0)]
        if depth == 0:
            break
        _, hidden, spread = cache[depth - 1]
        gradient = (gradient @ layers[2 * depth].T) * (hidden > 0.0)
        if spread is not None:
            along = (gradient * hidden).mean(axis=1, keepdims=True)
            gradient = (gradient - gradient.mean(axis=1, keepdims=True) - hidden * along) / spread
    return np.concatenate(parts)


class Adam:
    """The Adam optimiser; `step` changes `weights` in place."""

    def __init__(self, weights: np.ndarray, rate: float) -> None:
        self.weights, self.rate, self.time = weights, rate, 0
        self.mean, self.square = np.zeros_like(weights), np.zeros_like(weights)

    def step(self, gradient: np.ndarray) -> None:
        """Go one step against the gradient."""
        self.time += 1
        self.mean += 0.1 * (gradient - self.mean)
        self.square += 0.001 * (gradient * gradient - self.square)
        rate = self.rate * np.sqrt(1.0 - 0.999**self.time) / (1.0 - 0.9**self.time)
        self.weights -= rate * self.mean / (np.sqrt(self.square) + ADAM_EPSILON)
