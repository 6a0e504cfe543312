from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attnengine.reference.random_weights import random_weights
from attnengine.reference.rnn_encoder import RnnEncoder
from attnengine.reference.rnn_lm import RnnLM

LM: dict[str, Any] = {
    "architecture": "rnn_lm",
    "vocab_size": 11,
    "embedding_size": 6,
    "hidden_size": 6,
    "num_layers": 2,
    "cell": "gru",
    "nonlinearity": "tanh",
    "tied_output": False,
}
ENCODER: dict[str, Any] = {
    "architecture": "rnn_encoder",
    "vocab_size": 11,
    "embedding_size": 5,
    "hidden_size": 4,
    "num_layers": 2,
    "cell": "lstm",
    "nonlinearity": "tanh",
    "bidirectional": True,
    "pooling": "mean",
}
IDS = [1, 10, 3, 3, 0]


def in_float64(config: dict[str, Any], seed: int = 0) -> dict[str, np.ndarray]:
    return {name: w.astype(np.float64) for name, w in random_weights(config, seed).items()}


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_step_by_step_equals_all_at_once(cell: str, tied: bool) -> None:
    config = LM | {"cell": cell, "tied_output": tied}
    model = RnnLM(config, in_float64(config))
    state, rows = model.initial_state(), []
    for token in IDS:
        row, state = model.step(token, state)
        rows.append(row)
    logits = model.logits(IDS)
    np.testing.assert_allclose(np.stack(rows), logits, rtol=1e-10)
    assert logits.shape == (5, 11)
    assert logits.std() > 0.1  # random weights separate the tokens


def test_biases_are_optional_and_matter() -> None:
    weights = in_float64(LM)
    without = {name: w for name, w in weights.items() if "bias" not in name}
    zeros = {name: w * ("bias" not in name) for name, w in weights.items()}
    np.testing.assert_array_equal(RnnLM(LM, without).logits(IDS), RnnLM(LM, zeros).logits(IDS))
    assert not np.allclose(RnnLM(LM, without).logits(IDS), RnnLM(LM, weights).logits(IDS))


def test_precision_follows_the_weights() -> None:
    assert RnnLM(LM, random_weights(LM, 0)).logits(IDS).dtype == np.float32


def test_a_token_does_not_see_the_future() -> None:
    model = RnnLM(LM, in_float64(LM))
    np.testing.assert_array_equal(model.logits(IDS)[:3], model.logits(IDS[:3]))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("pooling", ["mean", "last", "first", "attention"])
def test_encoder(pooling: str, bidirectional: bool) -> None:
    config = ENCODER | {"pooling": pooling, "bidirectional": bidirectional}
    model = RnnEncoder(config, in_float64(config))
    states = model.hidden_states(IDS)
    size = 8 if bidirectional else 4
    assert states.shape == (5, size)
    pooled = model.encode(IDS)
    assert pooled.shape == (size,)
    # a pooled value is a weighted mean over positions, so it stays between their extremes
    assert (pooled <= states.max(axis=0)).all()
    assert (pooled >= states.min(axis=0)).all()
    single = model.hidden_states(IDS[:1])
    np.testing.assert_allclose(model.encode(IDS[:1]), single[0], rtol=1e-14)
