"""The bridge of an RNN encoder-decoder: computes the decoder's first state from the encoder."""

from __future__ import annotations

import numpy as np

from attnengine.reference.activations import ACTIVATIONS
from attnengine.reference.arrays import Floats
from attnengine.reference.linear import linear
from attnengine.reference.rnn import RnnState
from attnengine.reference.weights import Config, Weights


def directions_concatenated(final: Floats) -> Floats:
    """Concatenate directions: (num_layers, directions, hidden) to (num_layers, encoder_size)."""
    return final.reshape(len(final), -1)


def bridge_inputs(config: Config, states: Floats, final: RnnState) -> tuple[Floats, Floats | None]:
    """Return the bridge's inputs for hidden and for cell.

    Their shape is (num_layers, encoder_size) for "final", a row per decoder layer. It is
    (1, encoder_size) for "last" and "mean".
    """
    if config["bridge_input"] == "mean":
        mean = states.mean(axis=0, keepdims=True)
        return mean, mean
    hidden = directions_concatenated(final.hidden)
    cell = None if final.cell is None else directions_concatenated(final.cell)
    if config["bridge_input"] == "last":
        return hidden[-1:], None if cell is None else cell[-1:]
    return hidden, cell


def cross(config: Config, weights: Weights, name: str, rows: Floats) -> Floats:
    """Compute one output of the bridge, "hidden" or "cell": (num_layers, decoder_hidden_size)."""
    shape = config["decoder_num_layers"], config["decoder_hidden_size"]
    if config["bridge_activation"] == "none":
        return np.broadcast_to(rows, shape)
    y = linear(
        rows.reshape(-1), weights[f"bridge.{name}.weight"], weights.get(f"bridge.{name}.bias")
    )
    y = ACTIVATIONS[config["bridge_activation"]](y)  # all layers together, or one row for all
    return np.broadcast_to(y.reshape(-1, shape[1]), shape)


def initial_decoder_state(
    config: Config, weights: Weights, states: Floats, final: RnnState
) -> RnnState:
    """Return the decoder's state before its first token, (decoder_num_layers, decoder_hidden_size).

    states (src, encoder_size) are the encoder's top layer; final (encoder_num_layers, directions,
    encoder_hidden_size) are its final states.
    """
    lstm = config["cell"] == "lstm"
    zeros = np.zeros((config["decoder_num_layers"], config["decoder_hidden_size"]), states.dtype)
    if config["bridge_input"] == "zero":
        return RnnState(zeros, zeros if lstm else None)
    hidden_input, cell_input = bridge_inputs(config, states, final)
    hidden = cross(config, weights, "hidden", hidden_input)
    if not lstm:
        return RnnState(hidden, None)
    if config["bridge_cell"] == "own" and cell_input is not None:
        return RnnState(hidden, cross(config, weights, "cell", cell_input))
    return RnnState(hidden, hidden if config["bridge_cell"] == "hidden" else zeros)
