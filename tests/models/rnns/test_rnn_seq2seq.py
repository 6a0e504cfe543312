from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from attnengine import BeamSearch
from attnengine.errors import FormatError
from attnengine.models import build
from attnengine.reference.random_weights import random_weights
from attnengine.reference.rnn_seq2seq import RnnSeq2Seq
from attnengine.reference.softmax import log_softmax
from tests.models.checks import (
    SOURCES,
    TARGETS,
    assert_close,
    check_decoder,
    check_same_bits,
    model,
    start,
    weights64,
)
from tests.models.configs import RNN_SEQ2SEQ

BRIDGES = [
    ("zero", "none", "zero"),
    ("final", "none", "own"),
    ("final", "relu", "own"),
    ("final", "linear", "hidden"),
    ("last", "tanh", "hidden"),
    ("last", "none", "zero"),
    ("mean", "tanh", "own"),
    ("mean", "none", "own"),
]


def check(config: dict[str, Any]) -> None:
    reference = RnnSeq2Seq(config, weights64(config))
    seq2seq = model(config)
    check_decoder(seq2seq, lambda i: reference.logits(SOURCES[i], TARGETS[i]))
    if config["attention"] != "none":
        check_attention(seq2seq, reference)


def check_attention(seq2seq: Any, reference: RnnSeq2Seq) -> None:
    state, sequences = start(seq2seq, len(TARGETS))
    state.keep_alignment = True
    lengths = [len(target) for target in TARGETS]
    seq2seq.step(np.concatenate(TARGETS), np.repeat(sequences, lengths), state)
    for i, part in enumerate(np.split(state.attention, np.cumsum(lengths)[:-1])):
        src = len(SOURCES[i])
        assert_close(part[:, :src], reference.attention(SOURCES[i], TARGETS[i]))
        assert not part[:, src:].any()


def with_attention(name: str, query: str) -> dict[str, Any]:
    return {
        "attention": name,
        "attention_query": query,
        "attention_size": 6 if name in ("additive", "concat") else None,
        "input_feeding": query == "new",
        "readout_inputs": ["hidden", "embedding"] if name == "none" else ["context", "hidden"],
    }


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
@pytest.mark.parametrize(
    ("attention", "query"),
    [
        *itertools.product(
            ["additive", "dot", "general", "concat"], ["previous", "between", "new"]
        ),
        ("none", "new"),
        ("none", "previous"),
    ],
)
def test_attention_variants(cell: str, attention: str, query: str) -> None:
    bridge_cell = "own" if cell == "lstm" else "zero"
    check(
        RNN_SEQ2SEQ | with_attention(attention, query) | {"cell": cell, "bridge_cell": bridge_cell}
    )


@pytest.mark.parametrize(("bridge_input", "activation", "cell_start"), BRIDGES)
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_bridges(cell: str, bridge_input: str, activation: str, cell_start: str) -> None:
    check(
        RNN_SEQ2SEQ
        | {
            "cell": cell,
            "bridge_input": bridge_input,
            "bridge_activation": activation,
            "bridge_cell": cell_start if cell == "lstm" else "zero",
        }
    )


@pytest.mark.parametrize("inputs", [["hidden"], ["context"], ["embedding", "context", "hidden"]])
@pytest.mark.parametrize("activation", ["none", "linear", "tanh", "relu", "maxout"])
def test_readouts(inputs: list[str], activation: str) -> None:
    size = None if activation == "none" else 9
    check(
        RNN_SEQ2SEQ
        | {
            "readout_inputs": inputs,
            "readout_activation": activation,
            "readout_size": size,
            "input_feeding": size is not None,
        }
    )


def test_tied_output_and_one_direction() -> None:
    check(RNN_SEQ2SEQ | {"tied_output": True, "bidirectional": False, "encoder_hidden_size": 10})


CONDITIONAL = {
    "source_vocab_size": 13,
    "cell": "gru",
    "bridge_input": "mean",
    "bridge_activation": "tanh",
    "bridge_cell": "zero",
    **with_attention("additive", "between"),
    "input_feeding": False,
    "readout_inputs": ["hidden", "context", "embedding"],
    "readout_activation": "maxout",
}


@pytest.mark.parametrize("changes", [{}, {"decoder_num_layers": 1}, {"input_feeding": True}])
def test_conditional_gru_and_maxout(changes: dict[str, Any]) -> None:
    config = RNN_SEQ2SEQ | CONDITIONAL | changes
    check(config)
    check_same_bits(model(config))


@pytest.mark.parametrize("switches", [{}, {"input_feeding": False}, CONDITIONAL])
def test_same_bits_in_int8(switches: dict[str, Any]) -> None:
    config = RNN_SEQ2SEQ | switches | {"source_vocab_size": 13}
    check_same_bits(model(config, "int8"))


@pytest.mark.parametrize("input_feeding", [False, True])
def test_general_attention_without_a_bias_projects_the_keys(input_feeding: bool) -> None:
    config = RNN_SEQ2SEQ | {"input_feeding": input_feeding}
    weights = random_weights(config, 0)
    del weights["decoder.attention.query.bias"]
    exact = {name: weight.astype(np.float64) for name, weight in weights.items()}
    reference = RnnSeq2Seq(config, exact)
    check_decoder(build(config, weights), lambda i: reference.logits(SOURCES[i], TARGETS[i]))


def test_beam_search_keeps_the_states_of_a_conditional_gru() -> None:
    config = RNN_SEQ2SEQ | CONDITIONAL
    reference, seq2seq = RnnSeq2Seq(config, weights64(config)), model(config)
    search = BeamSearch(beam_size=4, start_token=0, end_tokens=[12], max_new_tokens=6)
    state, sequences = start(seq2seq, 1)
    while not search.done:
        search.advance(seq2seq.step(search.tokens, sequences, state))
        sequences = state.reorder(sequences, search.parents)
    assert len({tuple(hypothesis.ids) for hypothesis in search.hypotheses}) > 2
    for hypothesis in search.hypotheses:
        tokens = [0, *hypothesis.ids, *([12] if hypothesis.finish_reason == "stop" else [])]
        rows = log_softmax(reference.logits(SOURCES[0], tokens[:-1]))
        expected = rows[np.arange(len(rows)), tokens[1:]]
        assert_close(np.array(hypothesis.token_log_probs), expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"attention_size": 4}, "'attention_size' is 4, expected null with 'attention' 'general'"),
        ({"readout_size": None}, "'readout_size' is None, expected a size"),
        ({"attention_query": "previous"}, "'input_feeding' is True, expected false"),
        ({"cell": "gru"}, "'bridge_cell' is 'own', expected 'zero' for cell 'gru'"),
        (with_attention("none", "new") | {"readout_inputs": ["context"]}, "no 'context' without"),
        ({"readout_inputs": ["hidden", "hidden"]}, "expected each part once"),
        ({"readout_inputs": []}, "'readout_inputs' is \\[\\], expected a list"),
        ({"reset": "before"}, "'reset' is 'before', expected 'after' for cell 'lstm'"),
        ({"projection_size": 3}, "'projection_size' is 3, expected null"),
        (with_attention("none", "between"), "'attention_query' is 'between', expected another"),
        ({"tied_output": True, "readout_size": 8}, "reads 8 and 'target_embedding_size' 9"),
    ],
)
def test_switches_that_contradict_each_other(changes: dict[str, Any], message: str) -> None:
    weights = random_weights(RNN_SEQ2SEQ, 0)
    with pytest.raises(FormatError, match=message):
        build(RNN_SEQ2SEQ | changes, weights)
