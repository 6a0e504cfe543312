from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from attnengine.reference.random_weights import random_weights, weight_shapes
from attnengine.reference.rnn_seq2seq import RnnSeq2Seq

CONFIG: dict[str, Any] = {
    "architecture": "rnn_seq2seq",
    "source_vocab_size": 9,
    "target_vocab_size": 12,
    "source_embedding_size": 5,
    "target_embedding_size": 7,
    "cell": "gru",
    "nonlinearity": "tanh",
    "encoder_hidden_size": 3,
    "encoder_num_layers": 2,
    "bidirectional": True,
    "decoder_hidden_size": 6,
    "decoder_num_layers": 2,
    "bridge_input": "final",
    "bridge_activation": "tanh",
    "bridge_cell": "own",
    "attention": "additive",
    "attention_size": 4,
    "attention_query": "new",
    "input_feeding": False,
    "readout_inputs": ["hidden", "context"],
    "readout_activation": "tanh",
    "readout_size": 7,
    "tied_output": False,
    "max_positions": None,
}
SOURCE, TARGET = [1, 8, 0, 4], [2, 2, 11, 0, 5]


def build(**changes: Any) -> RnnSeq2Seq:
    config = CONFIG | changes
    weights = random_weights(config, 0)
    return RnnSeq2Seq(config, {name: w.astype(np.float64) for name, w in weights.items()})


class Recorder(dict[str, np.ndarray]):
    """Weights that record the names that were read."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        super().__init__(weights)
        self.taken: set[str] = set()

    def __getitem__(self, name: str) -> np.ndarray:
        self.taken.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.taken.add(name)
        return super().get(name, default)


def check(**changes: Any) -> np.ndarray:
    """Steps give the logits of the whole target; each weight outside recurrent layers is used."""
    config = CONFIG | changes
    weights = Recorder({k: w.astype(np.float64) for k, w in random_weights(config, 0).items()})
    model = RnnSeq2Seq(config, weights)
    encoded = model.encode(SOURCE)
    state, rows, attention = model.initial_state(encoded), [], []
    for token in TARGET:
        row, state, attended = model.step(token, state, encoded)
        rows.append(row)
        attention.append(attended)
    logits = model.logits(SOURCE, TARGET)
    np.testing.assert_array_equal(np.stack(rows), logits)
    assert logits.shape == (len(TARGET), 12)
    assert logits.std() > 0.05
    if config["attention"] != "none":
        np.testing.assert_array_equal(model.attention(SOURCE, TARGET), np.stack(attention))
        np.testing.assert_allclose(np.sum(attention, axis=1), 1, rtol=1e-12)
    recurrent = (".rnn.", ".transition.")
    apart = {name for name in weights if not any(part in name for part in recurrent)}
    assert apart == weights.taken & weights.keys()
    return logits


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
@pytest.mark.parametrize("attention", ["none", "additive", "dot", "general", "concat"])
@pytest.mark.parametrize("query", ["previous", "between", "new"])
def test_attentions(cell: str, attention: str, query: str) -> None:
    inputs = ["hidden"] if attention == "none" else ["hidden", "context"]
    check(cell=cell, attention=attention, attention_query=query, readout_inputs=inputs)


@pytest.mark.parametrize("bridge_input", ["zero", "final", "last", "mean"])
@pytest.mark.parametrize("bridge_activation", ["none", "linear", "tanh", "relu"])
@pytest.mark.parametrize("bridge_cell", ["own", "hidden", "zero"])
def test_bridges(bridge_input: str, bridge_activation: str, bridge_cell: str) -> None:
    for cell in ("lstm", "gru"):
        check(
            cell=cell,
            bridge_input=bridge_input,
            bridge_activation=bridge_activation,
            bridge_cell=bridge_cell,
        )


@pytest.mark.parametrize("activation", ["none", "linear", "tanh", "relu", "maxout"])
@pytest.mark.parametrize("order", list(itertools.permutations(["hidden", "context", "embedding"])))
def test_readouts(activation: str, order: tuple[str, ...]) -> None:
    check(
        readout_inputs=list(order),
        readout_activation=activation,
        readout_size=None if activation == "none" else 7,
    )


def test_input_feeding_changes_all_but_the_first_step() -> None:
    fed = build(input_feeding=True)
    logits = fed.logits(SOURCE, TARGET)
    weight = fed.decoder_rnn["weight_ih_l0"]
    weight[:, 7:] = 0.0  # columns for the input feed
    without = fed.logits(SOURCE, TARGET)
    np.testing.assert_array_equal(logits[0], without[0])  # the first feed is zeros
    assert not np.allclose(logits[1], without[1])
    check(input_feeding=True, tied_output=True)


def test_bridge_copies() -> None:
    model = build(cell="lstm", bridge_activation="none", bridge_input="final", bridge_cell="own")
    encoded = model.encode(SOURCE)
    state = model.initial_state(encoded).rnn
    for k in range(2):
        np.testing.assert_array_equal(state.hidden[k], encoded.final.hidden[k].reshape(-1))
        np.testing.assert_array_equal(state.cell[k], encoded.final.cell[k].reshape(-1))
    model = build(cell="lstm", bridge_activation="none", bridge_input="mean", bridge_cell="own")
    encoded = model.encode(SOURCE)
    state = model.initial_state(encoded).rnn
    expected = np.tile(encoded.states.mean(axis=0), (2, 1))
    np.testing.assert_array_equal(state.hidden, expected)
    np.testing.assert_array_equal(state.cell, expected)


def test_last_bridge_gives_every_layer_the_top_state() -> None:
    model = build(bridge_input="last", bridge_activation="none", decoder_num_layers=3)
    encoded = model.encode(SOURCE)
    state = model.initial_state(encoded).rnn
    top = np.concatenate([encoded.states[-1, :3], encoded.states[0, 3:]])
    np.testing.assert_array_equal(state.hidden, np.tile(top, (3, 1)))


def test_without_attention_the_source_matters_through_the_state_alone() -> None:
    model = build(attention="none", readout_inputs=["hidden"], bridge_input="zero")
    np.testing.assert_array_equal(model.logits(SOURCE, TARGET), model.logits([3], TARGET))
    with pytest.raises(ValueError, match="attention is 'none'"):
        model.attention(SOURCE, TARGET)


def test_additive_is_concat_with_its_weight_split() -> None:
    additive = build(attention="additive")
    weights = dict(additive.weights)
    weights["decoder.attention.concat.weight"] = np.concatenate(
        [weights["decoder.attention.query.weight"], weights["decoder.attention.key.weight"]], axis=1
    )
    weights["decoder.attention.concat.bias"] = (
        weights["decoder.attention.query.bias"] + weights["decoder.attention.key.bias"]
    )
    concat = RnnSeq2Seq(CONFIG | {"attention": "concat"}, weights)
    np.testing.assert_allclose(
        concat.logits(SOURCE, TARGET), additive.logits(SOURCE, TARGET), rtol=1e-10
    )


def test_a_second_transition_that_keeps_its_state_is_none() -> None:
    """With an update gate of 1 the second transition of the conditional GRU changes nothing."""
    between = build(attention_query="between", decoder_num_layers=1, bridge_input="mean")
    weights = dict(between.weights)
    for name in ("bias_ih_l0", "bias_hh_l0"):
        weights[f"decoder.transition.{name}"] = np.repeat([0.0, 50.0, 0.0], 6)  # gates r, z, n
    kept = RnnSeq2Seq(between.config, weights)
    new = RnnSeq2Seq(between.config | {"attention_query": "new"}, weights)
    np.testing.assert_allclose(
        kept.logits(SOURCE, TARGET), new.logits(SOURCE, TARGET), rtol=1e-10, atol=1e-12
    )
    assert not np.allclose(between.logits(SOURCE, TARGET), new.logits(SOURCE, TARGET))


def test_maxout_of_equal_pairs_is_linear() -> None:
    maxout, linear = build(readout_activation="maxout"), build(readout_activation="linear")
    for name in ("weight", "bias"):
        linear_part = linear.weights[f"decoder.readout.{name}"]
        low = np.repeat(linear_part, 2, axis=0)
        if name == "bias":
            low[::2] -= np.arange(7) % 2  # the second of a pair is larger, or both are equal
        maxout.weights[f"decoder.readout.{name}"] = low
    np.testing.assert_allclose(
        maxout.logits(SOURCE, TARGET), linear.logits(SOURCE, TARGET), rtol=1e-10
    )


def test_shapes_of_the_first_decoder_layer() -> None:
    gates = 3 * 6
    expected = {(): 7, (("attention_query", "previous"),): 7 + 6, (("input_feeding", True),): 7 + 7}
    for changes, size in expected.items():
        shapes = weight_shapes(CONFIG | dict(changes))
        assert shapes["decoder.rnn.weight_ih_l0"] == (gates, size)
