"""The recurrent layers of Keras and TensorFlow 1 in float64, by their documentation.

Kernels are (input, gates * units); one step reads x (input,).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Step = Callable[[Floats, Any], tuple[Floats, Any]]  # (x, state) -> (output, state)


def sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def hard_sigmoid(x: Floats) -> Floats:
    return np.clip(0.2 * x + 0.5, 0, 1)


def linear(x: Floats) -> Floats:
    return x


ACTIVATIONS = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "linear": linear,
    "sigmoid": sigmoid,
    "hard_sigmoid": hard_sigmoid,
}


def lstm(w: dict[str, Floats], gate: str = "sigmoid", activation: str = "tanh") -> Step:
    """Keras' LSTM with the gates i, f, c, o."""
    act, squash = ACTIVATIONS[gate], ACTIVATIONS[activation]

    def step(x: Floats, state: Any) -> tuple[Floats, Any]:
        h, c = state or (np.zeros(len(w["recurrent_kernel:0"])),) * 2
        z = x @ w["kernel:0"] + h @ w["recurrent_kernel:0"] + w["bias:0"]
        i, f, g, o = np.split(z, 4)
        c = act(f) * c + act(i) * squash(g)
        h = act(o) * squash(c)
        return h, (h, c)

    return step


def gru(w: dict[str, Floats], *, after: bool, gate: str = "sigmoid") -> Step:
    """Keras' GRU with the gates z, r, h; reset_after has an input and a recurrent bias."""
    act = ACTIVATIONS[gate]
    inner, outer = w["bias:0"] if after else (w["bias:0"], 0 * w["bias:0"])

    def step(x: Floats, state: Any) -> tuple[Floats, Any]:
        h = np.zeros(len(w["recurrent_kernel:0"])) if state is None else state
        xz, xr, xh = np.split(x @ w["kernel:0"] + inner, 3)
        uz, ur, uh = np.split(w["recurrent_kernel:0"], 3, axis=1)
        bz, br, bh = np.split(outer, 3)
        z, r = act(xz + h @ uz + bz), act(xr + h @ ur + br)
        new = np.tanh(xh + r * (h @ uh + bh)) if after else np.tanh(xh + (r * h) @ uh)
        h = z * h + (1 - z) * new
        return h, h

    return step


def simple(w: dict[str, Floats], activation: str = "tanh") -> Step:
    """Keras' SimpleRNN."""

    def step(x: Floats, state: Any) -> tuple[Floats, Any]:
        h = np.zeros(len(w["recurrent_kernel:0"])) if state is None else state
        z = x @ w["kernel:0"] + h @ w["recurrent_kernel:0"] + w["bias:0"]
        h = ACTIVATIONS[activation](z)
        return h, h

    return step


def tensorflow_lstm(
    w: Floats, b: Floats, projection: Floats | None = None, clip: float = np.inf
) -> Step:
    """LSTMCell of TensorFlow 1: one kernel over [x; h], gates i, j, f, o, forget bias 1."""

    def step(x: Floats, state: Any) -> tuple[Floats, Any]:
        units = w.shape[1] // 4
        out = units if projection is None else projection.shape[1]
        c, m = state or (np.zeros(units), np.zeros(out))
        i, j, f, o = np.split(np.concatenate([x, m]) @ w + b, 4)
        c = np.clip(sigmoid(f + 1.0) * c + sigmoid(i) * np.tanh(j), -clip, clip)
        m = sigmoid(o) * np.tanh(c)
        if projection is not None:
            m = np.clip(m @ projection, -clip, clip)
        return m, (c, m)

    return step


def layer(step: Step, xs: Floats, *, reverse: bool = False) -> Floats:
    """Outputs (steps, units) over xs (steps, input), from a state of zeros."""
    state, outputs = None, []
    for x in xs[::-1] if reverse else xs:
        output, state = step(x, state)
        outputs.append(output)
    return np.stack(outputs[::-1] if reverse else outputs)


def stack(steps: Sequence[Step], xs: Floats) -> Floats:
    for step in steps:
        xs = layer(step, xs)
    return xs


def under(arrays: dict[str, Any], prefix: str) -> dict[str, Floats]:
    """Weights below a prefix in float64, with names without the prefix."""
    return {
        name.removeprefix(prefix): array.astype(np.float64)
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
