"""Recurrent cells, layers and stacks, with PyTorch's weights and gate orders.

A step is two products and a gate function. Rows are independent. A single vector (size,) may
replace any array (rows, size).
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

#: The number of blocks of hidden_size rows in weight_ih and weight_hh.
NUM_GATES = {"elman": 1, "gru": 3, "lstm": 4}


@dataclass(frozen=True)
class CellOptions:
    """The keys of a config that define the cell; weights define peepholes and projection."""

    cell: str  # "elman", "gru" or "lstm"
    nonlinearity: str = "tanh"
    gate_activation: str = "sigmoid"
    reset: str = "after"  # GRU: reset gate "before" or "after" the recurrent product
    cell_clip: float | None = None
    projection_clip: float | None = None

    @classmethod
    def of(cls, config: Config) -> CellOptions:
        """Read the options from a config; keys with a default may be absent."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: config[name] for name in names if name in config})


class RnnState(NamedTuple):
    """The state of a recurrent network between steps."""

    hidden: Floats
    cell: Floats | None  # None unless an LSTM


def gru_step(
    gx: Floats, hidden: Floats, weight_hh: Floats, bias_hh: Floats | None, options: CellOptions
) -> Floats:
    """One step of a GRU: gx (rows, 3 * hidden), hidden (rows, hidden); returns (rows, hidden)."""
    activations = options.nonlinearity, options.gate_activation
    if options.reset == "after":
        return gru_gates(gx, linear(hidden, weight_hh, bias_hh), hidden, *activations)
    cut = 2 * hidden.shape[-1]  # rows of r and z come first, then rows of n
    bias = (None, None) if bias_hh is None else (bias_hh[:cut], bias_hh[cut:])
    gh = linear(hidden, weight_hh[:cut], bias[0])
    reset = gru_reset(gx, gh, hidden, options.gate_activation)
    return gru_update(gx, gh, linear(reset, weight_hh[cut:], bias[1]), hidden, *activations)


def lstm_step(
    gx: Floats, gh: Floats, cell: Floats, weights: Weights, options: CellOptions, suffix: str
) -> RnnState:
    """One step of an LSTM (Sak et al. 2014): gx and gh (rows, 4 * hidden), cell (rows, hidden)."""
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
    """Return the state before the first step: zeros, hidden (output size,), cell (hidden size,)."""
    weight = weights[f"weight_hh{suffix}"]  # (gates * hidden size, output size)
    hidden = np.zeros(weight.shape[1], weight.dtype)
    if options.cell != "lstm":
        return RnnState(hidden, None)
    return RnnState(hidden, np.zeros(len(weight) // NUM_GATES["lstm"], weight.dtype))


def rnn_step(
    x: Floats, state: RnnState, weights: Weights, options: CellOptions, suffix: str = "_l0"
) -> RnnState:
    """One step of the layer with the weights ``weight_ih{suffix}``, ``weight_hh{suffix}``, ...

    x (rows, in); the state has the same rows. Raises ValueError for an LSTM's state without a cell.
    """
    gx = linear(x, weights[f"weight_ih{suffix}"], weights.get(f"bias_ih{suffix}"))
    recurrent = weights[f"weight_hh{suffix}"], weights.get(f"bias_hh{suffix}")
    if options.cell == "gru":
        return RnnState(gru_step(gx, state.hidden, *recurrent, options), None)
    gh = linear(state.hidden, *recurrent)
    if options.cell == "elman":
        return RnnState(elman_gates(gx, gh, options.nonlinearity), None)
    if state.cell is None:
        raise ValueError("the state has no cell, expected an LSTM's state, as cell is 'lstm'")
    return lstm_step(gx, gh, state.cell, weights, options, suffix)


def rnn_layer(
    x: Floats,
    weights: Weights,
    options: CellOptions,
    suffix: str = "_l0",
    reverse: bool = False,
    start: RnnState | None = None,
) -> tuple[Floats, RnnState]:
    """One layer over a sequence; ``reverse`` reads it from the end to the start.

    x (src, in), start a state (hidden,) or None for zeros. Returns (states (src, hidden) in the
    order of x, the state after the last step).
    """
    state = zero_state(weights, options, suffix) if start is None else start
    states = np.zeros((len(x), len(state.hidden)), np.result_type(x, state.hidden))
    order = range(len(x))
    for t in reversed(order) if reverse else order:
        state = rnn_step(x[t], state, weights, options, suffix)
        states[t] = state.hidden
    return states, state


def stack_states(states: list[RnnState]) -> RnnState:
    """Stack the states of n layers or directions along a new first axis of length n."""
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
    layers, final = rnn_layers(x, weights, options, Stack(num_layers, bidirectional))
    return layers[-1], final


class Stack(NamedTuple):
    """How the layers of a recurrent stack are connected."""

    num_layers: int
    bidirectional: bool
    separate: bool = False  # above the first layer a direction reads only its own half below
    skip: bool = False  # a layer above the first adds its input to its states


def rnn_layers(
    x: Floats, weights: Weights, options: CellOptions, stack: Stack, start: RnnState | None = None
) -> tuple[list[Floats], RnnState]:
    """Run a recurrent stack; return x and the states of every layer, and the final states.

    ``stack.separate`` and ``stack.skip`` are those of Peters et al. (2018). start: the final
    states of the previous text, (num_layers, directions, hidden); None: zeros. The list has
    num_layers + 1 arrays; the final states are those of `rnn`.
    """
    layers, final = [x], []
    suffixes = ("", "_reverse") if stack.bidirectional else ("",)
    for k in range(stack.num_layers):
        below = layers[-1]
        split = stack.separate and k > 0
        halves = np.split(below, len(suffixes), axis=-1) if split else [below, below]
        runs = []
        for direction, suffix in enumerate(suffixes):
            first = None
            if start is not None:
                cell = None if start.cell is None else start.cell[k, direction]
                first = RnnState(start.hidden[k, direction], cell)
            half, name = halves[direction], f"_l{k}{suffix}"
            runs.append(rnn_layer(half, weights, options, name, bool(suffix), first))
        states = np.concatenate([states for states, _ in runs], axis=-1)
        layers.append(states + below if stack.skip and k else states)
        final.append(stack_states([state for _, state in runs]))
    return layers, stack_states(final)


def stack_step(x: Floats, state: RnnState, weights: Weights, options: CellOptions) -> RnnState:
    """One step of a stack of layers; each layer reads the hidden state of the layer below.

    x (in,), state (num_layers, hidden). Returns the new state; its hidden[-1] is the output.
    """
    layers = []
    for k in range(len(state.hidden)):
        below = RnnState(state.hidden[k], None if state.cell is None else state.cell[k])
        layers.append(rnn_step(x, below, weights, options, f"_l{k}"))
        x = layers[-1].hidden
    return stack_states(layers)
