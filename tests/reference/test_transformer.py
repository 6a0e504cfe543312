from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attnengine.reference.positions import sinusoidal
from attnengine.reference.random_weights import random_weights
from attnengine.reference.transformer import Transformer

CONFIG: dict[str, Any] = {
    "architecture": "transformer",
    "source_vocab_size": 9,
    "target_vocab_size": 9,
    "hidden_size": 8,
    "intermediate_size": 12,
    "encoder_num_layers": 2,
    "decoder_num_layers": 2,
    "num_heads": 2,
    "norm_placement": "post",
    "final_norm": False,
    "norm_eps": 1e-5,
    "activation": "silu",
    "positions": "sinusoidal",
    "position_layout": "interleaved",
    "position_offset": 0,
    "max_positions": 16,
    "scale_embeddings": True,
    "shared_embeddings": False,
    "tied_output": False,
}
SOURCE, TARGET = [1, 8, 0, 4], [2, 2, 7, 0, 5]
LEARNED = {"positions": "learned", "position_layout": None}


def build(**changes: Any) -> Transformer:
    config = CONFIG | changes
    weights = random_weights(config, 0)
    return Transformer(config, {name: w.astype(np.float64) for name, w in weights.items()})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"norm_placement": "pre", "final_norm": True},
        {"activation": "gelu", "position_layout": "halves", "position_offset": 1},
        {"activation": "gelu_tanh", "scale_embeddings": False},
        {"activation": "relu", "shared_embeddings": True, "tied_output": True},
        LEARNED | {"position_offset": 2, "tied_output": True},
    ],
)
def test_step_by_step_equals_all_at_once(changes: dict[str, Any]) -> None:
    model = build(**changes)
    encoded, state, rows = model.encode(SOURCE), model.initial_state(), []
    for token in TARGET:
        row, state = model.step(token, state, encoded)
        rows.append(row)
    logits = model.logits(SOURCE, TARGET)
    np.testing.assert_allclose(np.stack(rows), logits, rtol=1e-9, atol=1e-12)
    assert logits.shape == (5, 9)
    assert logits.std() > 0.1


def test_attentions_sum_to_one_and_never_look_ahead() -> None:
    attentions = build().attentions(SOURCE, TARGET)
    shapes = [(2, 2, 4, 4), (2, 2, 5, 5), (2, 2, 5, 4)]
    for weights, shape in zip(attentions, shapes, strict=True):
        assert weights.shape == shape
        np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-12)
    assert (np.triu(attentions.decoder, k=1) == 0).all()


def test_precision_follows_the_weights() -> None:
    for changes in ({}, LEARNED):
        config = CONFIG | changes
        model = Transformer(config, random_weights(config, 0))
        assert model.logits(SOURCE, TARGET).dtype == np.float32


def test_positions_matter_and_offset_moves_them() -> None:
    model = build()
    assert not np.allclose(model.encode([3, 5])[0], model.encode([5, 3])[1])
    np.testing.assert_allclose(
        sinusoidal(np.array([3]), 8, "halves"), sinusoidal(np.arange(4), 8, "halves")[[3]]
    )
    shifted = build(position_offset=1)
    assert not np.allclose(model.encode(SOURCE), shifted.encode(SOURCE))


def test_sinusoidal_layouts() -> None:
    wave = sinusoidal(np.array([5]), 4, "interleaved")[0]
    expected = [np.sin(5), np.cos(5), np.sin(5 / 100), np.cos(5 / 100)]
    np.testing.assert_allclose(wave, expected, rtol=1e-12)
    wave = sinusoidal(np.array([5]), 4, "halves")[0]  # size / 2 - 1 = 1: frequencies 1 and 1e-4
    expected = [np.sin(5), np.sin(5e-4), np.cos(5), np.cos(5e-4)]
    np.testing.assert_allclose(wave, expected, rtol=1e-12)


def test_too_many_tokens_are_refused() -> None:
    model = build(max_positions=4)
    model.encode(SOURCE)
    with pytest.raises(ValueError, match="expected at most max_positions = 4"):
        model.logits(SOURCE, TARGET)
