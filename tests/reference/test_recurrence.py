from __future__ import annotations

import numpy as np

from attnengine.reference.recurrence import average_attention, simple_recurrence

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 3))


def weights(**shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    return {name.replace("_", "."): RNG.normal(size=shape) for name, shape in shapes.items()}


def test_simple_recurrence_by_hand() -> None:
    w = weights(forget_weight=(3, 3), forget_bias=(3,), input_weight=(3, 3))
    y, carried = simple_recurrence(X, np.zeros(3), w)
    cell = np.zeros(3)
    for t, x in enumerate(X):
        f = 1 / (1 + np.exp(-(w["forget.weight"] @ x + w["forget.bias"])))
        cell = f * cell + (1 - f) * (w["input.weight"] @ x)
        np.testing.assert_allclose(carried[t], cell, rtol=1e-12)
        np.testing.assert_allclose(y[t], np.where(cell > 0, cell, 0), rtol=1e-12)


def test_average_attention_by_hand() -> None:
    w = weights(gate_weight=(6, 6), gate_bias=(6,), fc1_weight=(4, 3), fc2_weight=(3, 4))
    y, means = average_attention(X, np.zeros(3), 0, w, "relu")
    for t, x in enumerate(X):
        mean = X[: t + 1].mean(axis=0)
        fed = w["fc2.weight"] @ np.maximum(w["fc1.weight"] @ mean, 0)
        gates = 1 / (1 + np.exp(-(w["gate.weight"] @ [*x, *fed] + w["gate.bias"])))
        np.testing.assert_allclose(means[t], mean, rtol=1e-12)
        np.testing.assert_allclose(y[t], gates[:3] * x + gates[3:] * fed, rtol=1e-12)


def test_in_two_parts() -> None:
    w = weights(forget_weight=(3, 3), input_weight=(3, 3), gate_weight=(6, 6))
    whole, carried = simple_recurrence(X, np.zeros(3), w)
    rest, _ = simple_recurrence(X[2:], carried[1], w)
    np.testing.assert_allclose(rest, whole[2:], rtol=1e-12)
    whole, means = average_attention(X, np.zeros(3), 0, w, "relu")
    rest, _ = average_attention(X[2:], means[1], 2, w, "relu")
    np.testing.assert_allclose(rest, whole[2:], rtol=1e-12)
