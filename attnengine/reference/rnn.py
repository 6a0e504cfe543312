"""Recurrent cells, layers and stacks, with PyTorch's weights and gate orders.

A step is two products and a gate function. Rows are independent; a single vector (size,) works
wherever (rows, size) is written.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from attnengine.reference.arrays import Floats
from attnengine.reference.linear import linear
from attnengine.reference.rnn_gates import (
    clip,
    elman_gates,
    gru_gates,
    gru_reset,
    gru_update,
    lstm_gates,
)
from attnengine.reference.weights import Config, Weights

#: How many blocks of hidden_size rows weight_ih and weight_hh have.
NUM_GATES = {"elman": 1, "gru": 3, "lstm": 4}


@dataclass(frozen=True)
class CellOptions:
    """Which cell: the keys of a config that say so, peepholes and projection by their weights."""

    cell: str  # "elman", "gru" or "lstm"
    nonlinearity: str = "tanh"
    gate_activation: str = "sigmoid"
    reset: str = "after"  # of a GRU: "before" or "after" the recurrent product
    cell_clip: float | None = None
    projection_clip: float | None = None

    @classmethod
    def of(cls, config: Config) -> CellOptions:
        """Take them from a config; a key may be missing where it has a default."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: config[name] for name in names if name in config})


class RnnState(NamedTuple):
    """What a recurrent network carries from step to step."""

    hidden: Floats
    cell: Floats | None  # of an LSTM; None otherwise


def gru_step(
    gx: Floats, hidden: Floats, weight_hh: Floats, bias_hh: Floats | None, options: CellOptions
) -> Floats:
    """One step of a GRU: gx (rows, 3 * hidden) and hidden (rows, hidden) to h' (rows, hidden)."""
    activations = options.nonlinearity, options.gate_activation
    if options.reset == "after":
        return gru_gates(gx, linear(hidden, weight_hh, bias_hh), hidden, *activations)
    cut = 2 * hidden.shape[-1]  # rows of r and z, then those of n
    bias = (None, None) if bias_hh is None else (bias_hh[:cut], bias_hh[cut:])
    gh = linear(hidden, weight_hh[:cut], bias[0])
    reset = gru_reset(gx, gh, hidden, options.gate_activation)
    return gru_update(gx, gh, linear(reset, weight_hh[cut:], bias[1]), hidden, *activations)


def lstm_step(
    gx: Floats, gh: Floats, cell: Floats, weights: Weights, options: CellOptions, suffix: str
) -> RnnState:
    """One step of an LSTM: gx and gh (rows, 4 * hidden), cell (rows, hidden)."""
    hidden, new_cell = lstm_gates(
        gx,
        gh,
        cell,
        weights.get(f"peephole{suffix}"),
        options.nonlinearity,
        options.gate_activation,
        options.cell_clip,
    )
    projection = weights.get(f"weight_hr{suffix}")  # (projection_size, hidden)
    if projection is not None:
        hidden = linear(hidden, projection)
    if options.projection_clip is not None:
        hidden = clip(hidden, options.projection_clip)
    return RnnState(hidden, new_cell)


def zero_state(weights: Weights, options: CellOptions, suffix: str = "_l0") -> RnnState:
    """The state before the first step: zeros, hidden (output size,) and cell (hidden size,)."""
    weight = weights[f"weight_hh{suffix}"]  # (gates * hidden size, output size)
    hidden = np.zeros(weight.shape[1], weight.dtype)
    if options.cell != "lstm":
        return RnnState(hidden, None)
    return RnnState(hidden, np.zeros(len(weight) // NUM_GATES["lstm"], weight.dtype))


def rnn_step(
    x: Floats, state: RnnState, weights: Weights, options: CellOptions, suffix: str = "_l0"
) -> RnnState:
    """One step of the layer whose weights are named ``weight_ih{suffix}`` and so on.

    x (rows, in) and the state's rows. Raises ValueError for an LSTM without a cell.
    """
    gx = linear(x, weights[f"weight_ih{suffix}"], weights.get(f"bias_ih{suffix}"))
    recurrent = weights[f"weight_hh{suffix}"], weights.get(f"bias_hh{suffix}")
    if options.cell == "gru":
        return RnnState(gru_step(gx, state.hidden, *recurrent, options), None)
    gh = linear(state.hidden, *recurrent)
    if options.cell == "elman":
        return RnnState(elman_gates(gx, gh, options.nonlinearity), None)
    if state.cell is None:
        raise ValueError("cell is 'lstm' and the state has no cell, expected an LSTM's state")
    return lstm_step(gx, gh, state.cell, weights, options, suffix)


def rnn_layer(
    x: Floats,
    weights: Weights,
    options: CellOptions,
    suffix: str = "_l0",
    reverse: bool = False,
    start: RnnState | None = None,
) -> tuple[Floats, RnnState]:
    """One layer over a sequence, from its end to its start with reverse=True.

    x (src, in), start a state (hidden,) or None for zeros. Returns (states (src, hidden) in the
    order of x, the state after the last step taken).
    """
    state = zero_state(weights, options, suffix) if start is None else start
    states = np.zeros((len(x), len(state.hidden)), np.result_type(x, state.hidden))
    order = range(len(x))
    for t in reversed(order) if reverse else order:
        state = rnn_step(x[t], state, weights, options, suffix)
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
    options: CellOptions,
    num_layers: int = 1,
    bidirectional: bool = False,
) -> tuple[Floats, RnnState]:
    """``torch.nn.RNN``, ``GRU`` or ``LSTM`` over one sequence.

    x (src, in), weights by their PyTorch names (``weight_ih_l0``, ``weight_ih_l0_reverse``).
    Returns (states of the top layer (src, directions * hidden), final states
    (num_layers, directions, hidden)).
    """
    layers, final = rnn_layers(x, weights, options, num_layers, bidirectional)
    return layers[-1], final


def rnn_layers(
    x: Floats,
    weights: Weights,
    options: CellOptions,
    num_layers: int,
    bidirectional: bool,
    separate: bool = False,
    skip: bool = False,
    start: RnnState | None = None,
) -> tuple[list[Floats], RnnState]:
    """As `rnn`, with the states of every layer, from x on: num_layers + 1 arrays.

    Above the first layer, with ``separate`` a direction reads the half of what is below that is
    its own, and with ``skip`` a layer adds what it reads to its states (Peters et al. 2018).
    start: final states of the text before, (num_layers, directions, hidden); None: zeros.
    """
    layers, final = [x], []
    suffixes = ("", "_reverse") if bidirectional else ("",)
    for k in range(num_layers):
        below = layers[-1]
        halves = np.split(below, len(suffixes), axis=-1) if separate and k else [below, below]
        runs = []
        for direction, suffix in enumerate(suffixes):
            first = None
            if start is not None:
                cell = None if start.cell is None else start.cell[k, direction]
                first = RnnState(start.hidden[k, direction], cell)
            half, name = halves[direction], f"_l{k}{suffix}"
            runs.append(rnn_layer(half, weights, options, name, bool(suffix), first))
        states = np.concatenate([states for states, _ in runs], axis=-1)
        layers.append(states + below if skip and k else states)
        final.append(stack_states([state for _, state in runs]))
    return layers, stack_states(final)


def stack_step(x: Floats, state: RnnState, weights: Weights, options: CellOptions) -> RnnState:
    """One step of a stack of layers, each reading the hidden state of the one below.

    x (in,), state (num_layers, hidden). Returns the new state; its hidden[-1] is the output.
    """
    layers = []
    for k in range(len(state.hidden)):
        below = RnnState(state.hidden[k], None if state.cell is None else state.cell[k])
        layers.append(rnn_step(x, below, weights, options, f"_l{k}"))
        x = layers[-1].hidden
    return stack_states(layers)
