"""The compiled models in float32 against PyTorch in float64 with the same weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attnengine.models import build
from attnengine.reference.random_weights import random_weights
from tests.helpers.torch_modules import (
    TRANSFORMER_PEER,
    RnnSeq2SeqPeer,
    TransformerPeer,
    rnn_stack,
    rounded,
    torch,
    weights_of,
)
from tests.models.checks import SOURCES, TARGETS, assert_close, start, weights64
from tests.models.configs import RNN_ENCODER, RNN_SEQ2SEQ

pytestmark = pytest.mark.peers


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def assert_steps_close(actual: list[Any], expected: list[Any]) -> None:
    """Each step is within 5e-6 of its largest value."""
    for part, wanted in zip(actual, expected, strict=True):
        for step, row in zip(part, wanted, strict=True):
            assert_close(step[: len(row)], row)


def check(seq2seq: Any, logits: list[Any], attention: list[Any] | None = None) -> None:
    """Check all targets in one batch, with several rows of each target in one step."""
    state, sequences = start(seq2seq, len(TARGETS))
    state.keep_alignment = attention is not None
    lengths = [len(target) for target in TARGETS]
    rows = seq2seq.step(np.concatenate(TARGETS), np.repeat(sequences, lengths), state)
    ends = np.cumsum(lengths)[:-1]
    assert_steps_close(np.split(rows, ends), logits)
    if attention is not None:
        assert_steps_close(np.split(state.attention, ends), attention)


@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(
    ("cell", "nonlinearity"),
    [("elman", "tanh"), ("elman", "relu"), ("gru", "tanh"), ("lstm", "tanh")],
)
def test_encoder(cell: str, nonlinearity: str, bidirectional: bool, num_layers: int) -> None:
    options = {"num_layers": num_layers, "bidirectional": bidirectional}
    config = RNN_ENCODER | options | {"cell": cell, "nonlinearity": nonlinearity}
    module = rounded(rnn_stack(cell, nonlinearity, 7, 5, **options))
    embedding = torch.randn(13, 7).double()
    weights = {f"rnn.{name}": w for name, w in weights_of(module).items()}
    encoder = build(config, weights | {"embedding.weight": embedding.numpy()})
    lengths = [len(source) for source in SOURCES]

    states = encoder.hidden_states(np.concatenate(SOURCES), lengths)

    expected = [module(embedding[source])[0].detach().numpy() for source in SOURCES]
    assert_steps_close(np.split(states, np.cumsum(lengths)[:-1]), expected)


BAHDANAU = {
    "attention_query": "previous",
    "input_feeding": False,
    "readout_inputs": ["hidden", "context", "embedding"],
}
CONDITIONAL = {**BAHDANAU, "attention_query": "between", "readout_activation": "maxout"}
LUONG = {"attention_query": "new", "input_feeding": False}
LUONG_FEEDING = {"attention_query": "new", "input_feeding": True}


@pytest.mark.parametrize("style", [BAHDANAU, CONDITIONAL, LUONG, LUONG_FEEDING])
@pytest.mark.parametrize("attention", ["additive", "dot", "general", "concat"])
@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_encoder_decoder(cell: str, attention: str, style: dict[str, Any]) -> None:
    config = RNN_SEQ2SEQ | style
    config |= {
        "cell": cell,
        "bridge_cell": "own" if cell == "lstm" else "zero",
        "attention": attention,
        "attention_size": 6 if attention in ("additive", "concat") else None,
    }
    peer = RnnSeq2SeqPeer(config, weights64(config))
    seq2seq: Any = build(config, random_weights(config, 0))
    expected = [peer.run(*pair) for pair in zip(SOURCES, TARGETS, strict=True)]
    check(seq2seq, [logits for logits, _ in expected], [weights for _, weights in expected])


@pytest.mark.parametrize("norm_placement", ["pre", "post"])
@pytest.mark.parametrize("final_norm", [True, False])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_transformer(activation: str, final_norm: bool, norm_placement: str) -> None:
    config = TRANSFORMER_PEER | {
        "norm_placement": norm_placement,
        "final_norm": final_norm,
        "activation": activation,
    }
    peer = TransformerPeer(config)
    transformer: Any = build(config, peer.weights())
    check(transformer, [peer.logits(*pair) for pair in zip(SOURCES, TARGETS, strict=True)])
