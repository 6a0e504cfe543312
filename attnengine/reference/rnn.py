"""Recurrent cells (Elman, GRU, LSTM), layers and stacks, with PyTorch's weights and gate orders.

A step is two products and a gate function: ``gates(x W_ih + b_ih, h W_hh + b_hh)``. Rows
are independent; a single vector (size,) works wherever (rows, size) is written.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from attnengine.reference.activations import ACTIVATIONS, sigmoid
from attnengine.reference.arrays import Floats
from attnengine.reference.linear import linear
from attnengine.reference.weights import Weights

#: How many blocks of hidden_size rows weight_ih and weight_hh have.
NUM_GATES = {"elman": 1, "gru": 3, "lstm": 4}


class RnnState(NamedTuple):
    """What a recurrent network carries from step to step."""

    hidden: Floats
    cell: Floats | None  # the same shape, of an LSTM; None otherwise


def elman_gates(gx: Floats, gh: Floats, nonlinearity: str = "tanh") -> Floats:
    """The cell of ``torch.nn.RNN`` (Elman 1990): h' = tanh(gx + gh), or relu.

    gx and gh (rows, hidden). Returns h' (rows, hidden).
    """
    return ACTIVATIONS[nonlinearity](gx + gh)


def gru_gates(gx: Floats, gh: Floats, hidden: Floats) -> Floats:
    """The gates of ``torch.nn.GRU``, in the order r, z, n (Cho et al. 2014, version 1).

    gx (rows, 3 * hidden), gh (rows, 3 * hidden), hidden (rows, hidden). Returns h'.
    """
    xr, xz, xn = np.split(gx, 3, axis=-1)
    hr, hz, hn = np.split(gh, 3, axis=-1)
    reset, update = sigmoid(xr + hr), sigmoid(xz + hz)
    candidate = np.tanh(xn + reset * hn)
    return (1.0 - update) * candidate + update * hidden


def lstm_gates(gx: Floats, gh: Floats, cell: Floats) -> tuple[Floats, Floats]:
    """The gates of ``torch.nn.LSTM``, in the order i, f, g, o (Hochreiter and Schmidhuber 1997).

    gx (rows, 4 * hidden), gh (rows, 4 * hidden), cell (rows, hidden). Returns (h', c').
    """
    i, f, g, o = np.split(gx + gh, 4, axis=-1)
    new_cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(new_cell), new_cell


def elman_step(
    x: Floats,
    hidden: Floats,
    weight_ih: Floats,
    weight_hh: Floats,
    bias_ih: Floats | None = None,
    bias_hh: Floats | None = None,
    nonlinearity: str = "tanh",
) -> Floats:
    """One step of an Elman cell.

    x (rows, in), hidden (rows, hidden), weight_ih (hidden, in), weight_hh (hidden, hidden),
    biases (hidden,) or None. Returns h' (rows, hidden).
    """
    gx, gh = linear(x, weight_ih, bias_ih), linear(hidden, weight_hh, bias_hh)
    return elman_gates(gx, gh, nonlinearity)


def gru_step(
    x: Floats,
    hidden: Floats,
    weight_ih: Floats,
    weight_hh: Floats,
    bias_ih: Floats | None = None,
    bias_hh: Floats | None = None,
) -> Floats:
    """One step of a GRU cell.

    x (rows, in), hidden (rows, hidden), weight_ih (3 * hidden, in),
    weight_hh (3 * hidden, hidden), biases (3 * hidden,) or None. Returns h' (rows, hidden).
    """
    return gru_gates(linear(x, weight_ih, bias_ih), linear(hidden, weight_hh, bias_hh), hidden)


def lstm_step(
    x: Floats,
    hidden: Floats,
    cell: Floats,
    weight_ih: Floats,
    weight_hh: Floats,
    bias_ih: Floats | None = None,
    bias_hh: Floats | None = None,
) -> tuple[Floats, Floats]:
    """One step of an LSTM cell.

    x (rows, in), hidden and cell (rows, hidden), weight_ih (4 * hidden, in),
    weight_hh (4 * hidden, hidden), biases (4 * hidden,) or None. Returns (h', c').
    """
    return lstm_gates(linear(x, weight_ih, bias_ih), linear(hidden, weight_hh, bias_hh), cell)


def zero_state(weights: Weights, cell: str, suffix: str = "_l0") -> RnnState:
    """The state before the first step: hidden (and cell) of zeros, (hidden,)."""
    weight = weights[f"weight_hh{suffix}"]
    zeros = np.zeros(weight.shape[1], weight.dtype)
    return RnnState(zeros, zeros if cell == "lstm" else None)


def rnn_step(
    x: Floats,
    state: RnnState,
    weights: Weights,
    cell: str,
    nonlinearity: str = "tanh",
    suffix: str = "_l0",
) -> RnnState:
    """One step of the layer whose weights are named ``weight_ih{suffix}`` and so on."""
    layer = weights[f"weight_ih{suffix}"], weights[f"weight_hh{suffix}"]
    biases = weights.get(f"bias_ih{suffix}"), weights.get(f"bias_hh{suffix}")
    if cell == "elman":
        return RnnState(elman_step(x, state.hidden, *layer, *biases, nonlinearity), None)
    if cell == "gru":
        return RnnState(gru_step(x, state.hidden, *layer, *biases), None)
    if state.cell is None:
        raise ValueError(f"cell is {cell!r} and the state has no cell, expected an LSTM's state")
    return RnnState(*lstm_step(x, state.hidden, state.cell, *layer, *biases))


def rnn_layer(
    x: Floats,
    weights: Weights,
    cell: str,
    nonlinearity: str = "tanh",
    suffix: str = "_l0",
    reverse: bool = False,
) -> tuple[Floats, RnnState]:
    """One layer over a sequence, from its end to its start with reverse=True.

    x (src, in). Returns (states (src, hidden) in the order of x, the state after the last
    step taken).
    """
    state = zero_state(weights, cell, suffix)
    states = np.zeros((len(x), len(state.hidden)), np.result_type(x, state.hidden))
    order = range(len(x))
    for t in reversed(order) if reverse else order:
        state = rnn_step(x[t], state, weights, cell, nonlinearity, suffix)
        states[t] = state.hidden
    return states, state


def stack_states(states: list[RnnState]) -> RnnState:
    """States of n layers or directions as one, with a first axis of length n."""
    cells = [state.cell for state in states if state.cell is not None]
    return RnnState(
        np.stack([state.hidden for state in states]), np.stack(cells) if cells else None
    )


def rnn(
    x: Floats,
    weights: Weights,
    cell: str,
    num_layers: int = 1,
    bidirectional: bool = False,
    nonlinearity: str = "tanh",
) -> tuple[Floats, RnnState]:
    """``torch.nn.RNN``, ``GRU`` or ``LSTM`` over one sequence.

    x (src, in), weights by their PyTorch names (``weight_ih_l0``, ``weight_ih_l0_reverse``).
    Returns (states of the top layer (src, directions * hidden), final states
    (num_layers, directions, hidden)).
    """
    final = []
    for k in range(num_layers):
        runs = [rnn_layer(x, weights, cell, nonlinearity, f"_l{k}")]
        if bidirectional:
            runs.append(rnn_layer(x, weights, cell, nonlinearity, f"_l{k}_reverse", reverse=True))
        x = np.concatenate([states for states, _ in runs], axis=-1)
        final.append(stack_states([state for _, state in runs]))
    return x, stack_states(final)


def stack_step(
    x: Floats, state: RnnState, weights: Weights, cell: str, nonlinearity: str = "tanh"
) -> RnnState:
    """One step of a stack of layers, each reading the hidden state of the one below.

    x (in,), state (num_layers, hidden). Returns the new state; its hidden[-1] is the output.
    """
    layers = []
    for k in range(len(state.hidden)):
        below = RnnState(state.hidden[k], None if state.cell is None else state.cell[k])
        layers.append(rnn_step(x, below, weights, cell, nonlinearity, f"_l{k}"))
        x = layers[-1].hidden
    return stack_states(layers)
