"""The gates of recurrent cells (Elman, GRU, LSTM), after the two products of a step.

gx is ``x @ weight_ih.T + bias_ih`` and gh ``hidden @ weight_hh.T + bias_hh``, in PyTorch's gate
orders. Rows are independent. A single vector (size,) may replace any array (rows, size).
"""

from __future__ import annotations

import numpy as np

from attnengine.reference.activations import ACTIVATIONS
from attnengine.reference.arrays import Floats


def elman_gates(gx: Floats, gh: Floats, nonlinearity: str = "tanh") -> Floats:
    """The cell of ``torch.nn.RNN`` (Elman 1990): h' = tanh(gx + gh), or relu.

    gx and gh (rows, hidden). Returns h' (rows, hidden).
    """
    return ACTIVATIONS[nonlinearity](gx + gh)


def gru_gates(
    gx: Floats,
    gh: Floats,
    hidden: Floats,
    nonlinearity: str = "tanh",
    gate_activation: str = "sigmoid",
) -> Floats:
    """The gates of ``torch.nn.GRU``, in the order r, z, n: reset after the recurrent product.

    The reset gate scales the bias of n in gh, but not the one in gx. gx and gh (rows, 3 * hidden),
    hidden (rows, hidden). Returns h' (rows, hidden).
    """
    *gates, recurrent = np.split(gh, 3, axis=-1)
    reset = ACTIVATIONS[gate_activation](np.split(gx, 3, axis=-1)[0] + gates[0])
    both = np.concatenate(gates, axis=-1)
    return gru_update(gx, both, reset * recurrent, hidden, nonlinearity, gate_activation)


def gru_reset(gx: Floats, gh: Floats, hidden: Floats, gate_activation: str = "sigmoid") -> Floats:
    """Return r * h, the candidate's input in a GRU with reset before the product (Cho et al. 2014).

    gx (rows, 3 * hidden) in the order r, z, n, gh (rows, 2 * hidden), hidden (rows, hidden).
    Returns (rows, hidden).
    """
    size = hidden.shape[-1]
    return ACTIVATIONS[gate_activation](gx[..., :size] + gh[..., :size]) * hidden


def gru_update(
    gx: Floats,
    gh: Floats,
    candidate: Floats,
    hidden: Floats,
    nonlinearity: str = "tanh",
    gate_activation: str = "sigmoid",
) -> Floats:
    """The rest of a GRU step: n = tanh(gx_n + candidate), h' = (1 - z) * n + z * h.

    gx (rows, 3 * hidden) in the order r, z, n, gh (rows, 2 * hidden), hidden (rows, hidden).
    candidate (rows, hidden) is the recurrent part of n after the reset gate.
    Returns h' (rows, hidden).
    """
    _, xz, xn = np.split(gx, 3, axis=-1)
    update = ACTIVATIONS[gate_activation](xz + np.split(gh, 2, axis=-1)[1])
    return (1.0 - update) * ACTIVATIONS[nonlinearity](xn + candidate) + update * hidden


def lstm_gates(
    gx: Floats,
    gh: Floats,
    cell: Floats,
    peepholes: Floats | None = None,
    nonlinearity: str = "tanh",
    gate_activation: str = "sigmoid",
    cell_clip: float | None = None,
) -> tuple[Floats, Floats]:
    """The gates of ``torch.nn.LSTM``, in the order i, f, g, o (Hochreiter and Schmidhuber 1997).

    Peepholes (3 * hidden,) let i and f read the old cell, and o the new cell (Gers and
    Schmidhuber 2000). The new cell is first limited to [-cell_clip, cell_clip] (Sak et al. 2014).
    gx and gh (rows, 4 * hidden), cell (rows, hidden). Returns (h', c'), both (rows, hidden).
    """
    gate, activation = ACTIVATIONS[gate_activation], ACTIVATIONS[nonlinearity]
    i, f, g, o = np.split(gx + gh, 4, axis=-1)  # each (rows, hidden)
    if peepholes is not None:
        of_i, of_f, of_o = np.split(peepholes, 3)
        i, f = i + of_i * cell, f + of_f * cell
    new_cell: Floats = gate(f) * cell + gate(i) * activation(g)
    if cell_clip is not None:
        new_cell = clip(new_cell, cell_clip)
    if peepholes is not None:
        o = o + of_o * new_cell
    return gate(o) * activation(new_cell), new_cell


def clip(x: Floats, limit: float) -> Floats:
    """Limit x to [-limit, limit]."""
    y: Floats = np.clip(x, -limit, limit)
    return y
