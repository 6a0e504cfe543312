"""The reference against Bahdanau's and Luong's models, hand-written in PyTorch, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attnengine.reference.random_weights import random_weights
from attnengine.reference.rnn_seq2seq import RnnSeq2Seq
from tests.helpers.torch_modules import RnnSeq2SeqPeer

pytestmark = pytest.mark.peers

CONFIG: dict[str, Any] = {
    "architecture": "rnn_seq2seq",
    "source_vocab_size": 9,
    "target_vocab_size": 12,
    "source_embedding_size": 5,
    "target_embedding_size": 7,
    "cell": "lstm",
    "nonlinearity": "tanh",
    "encoder_hidden_size": 3,
    "encoder_num_layers": 2,
    "bidirectional": True,
    "decoder_hidden_size": 6,
    "decoder_num_layers": 2,
    "bridge_input": "final",
    "bridge_activation": "none",
    "bridge_cell": "own",
    "attention_size": 4,
    "readout_activation": "tanh",
    "readout_size": 7,
    "tied_output": False,
    "max_positions": None,
}
SOURCE, TARGET = [1, 8, 0, 4], [2, 2, 11, 0, 5]

BAHDANAU = {
    "attention_query": "previous",
    "input_feeding": False,
    "readout_inputs": ["hidden", "context", "embedding"],
}
LUONG = {
    "attention_query": "new",
    "input_feeding": True,
    "readout_inputs": ["context", "hidden"],
}


@pytest.mark.parametrize("style", [BAHDANAU, LUONG])
@pytest.mark.parametrize("attention", ["additive", "dot", "general", "concat"])
def test_all_scores(attention: str, style: dict[str, Any]) -> None:
    config = CONFIG | style | {"attention": attention}
    weights = {k: w.astype(np.float64) for k, w in random_weights(config, 0).items()}
    model = RnnSeq2Seq(config, weights)
    logits, weights_over_source = RnnSeq2SeqPeer(config, weights).run(SOURCE, TARGET)
    # float64 on both sides: only the order of sums differs
    np.testing.assert_allclose(model.logits(SOURCE, TARGET), logits, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(
        model.attention(SOURCE, TARGET), weights_over_source, rtol=1e-10, atol=1e-12
    )
