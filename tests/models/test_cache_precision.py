"""Decoders with float16 and int8 caches against references that round keys and values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attnengine.models import build
from attnengine.models.settings import BuildSettings
from attnengine.reference import decoder_only
from attnengine.reference.attention import scaled_dot_attention
from attnengine.reference.decoder_only import DecoderOnly
from attnengine.reference.random_weights import random_weights
from attnengine.reference.store_keys_values import KEPT
from attnengine.reference.transformer import Cache, Transformer
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
from tests.models.configs import GPT2, LLAMA, RNN_LM, TRANSFORMER, TRANSFORMER_LM, Config

# float64 rounds a number near the middle of two steps differently than float32, and instruction
# sets differ too. In float16 this moves one number in a few thousand by a relative 5e-4. In int8
# it moves one in many thousand by 1 / 127 of the largest number of its head.
ANOTHER_STEP = {"float16": 2e-4, "int8": 2e-3}

precisions = pytest.mark.parametrize("precision", KEPT)


class Rounding(Transformer):
    """A reference Transformer that rounds the keys and values of its decoder, not its encoder."""

    def __init__(self, config: Config, weights: Any, precision: str) -> None:
        super().__init__(config, weights)
        self.rounded = KEPT[precision]

    def decode(self, *args: Any) -> Any:
        attend = super()._attend
        self._attend = lambda x, cache, *more: attend(x, Cache(*map(self.rounded, cache)), *more)  # type: ignore[method-assign]
        try:
            return super().decode(*args)
        finally:
            del self._attend


def check(decoder: Any, rounded: list[Any], exact: list[Any]) -> None:
    """The logits of every target equal the rounding reference's, not the exact ones."""
    check_decoder(decoder, lambda i: rounded[i], ANOTHER_STEP[decoder.cache_precision])
    state, sequences = start(decoder, len(TARGETS))
    rows = np.repeat(sequences, [len(target) for target in TARGETS])
    found = decoder.step(np.concatenate(TARGETS), rows, state)
    error, change = (np.linalg.norm(found - np.concatenate(y)) for y in (rounded, exact))
    assert error < 0.3 * change


@precisions
@pytest.mark.parametrize("config", [GPT2, LLAMA], ids=["gpt2", "llama"])
def test_language_models(monkeypatch: pytest.MonkeyPatch, config: Config, precision: str) -> None:
    def attention(query: Any, keys: Any, values: Any, *args: Any, **options: Any) -> Any:
        keys, values = map(KEPT[precision], (keys, values))
        return scaled_dot_attention(query, keys, values, *args, **options)

    reference = DecoderOnly(config, weights64(config))
    exact = [reference.logits(target) for target in TARGETS]
    monkeypatch.setattr(decoder_only, "scaled_dot_attention", attention)
    rounded = [reference.logits(target) for target in TARGETS]
    check(model(config, cache_precision=precision), rounded, exact)


@precisions
@pytest.mark.parametrize("changes", [{}, {"decoder_self_attention": "ssru"}], ids=["", "ssru"])
def test_encoder_decoders(changes: Config, precision: str) -> None:
    """Encoder-decoders round the keys and values of the source too."""
    config = TRANSFORMER | changes
    weights = weights64(config)
    rounded, exact = (
        [reference.logits(*pair) for pair in zip(SOURCES, TARGETS, strict=True)]
        for reference in (Rounding(config, weights, precision), Transformer(config, weights))
    )
    check(model(config, cache_precision=precision), rounded, exact)


@precisions
@pytest.mark.parametrize(
    "config",
    [GPT2 | {"vocab_size": 500, "n_embd": 192}, TRANSFORMER | {"source_vocab_size": 13}],
    ids=["gpt2", "transformer"],
)
def test_same_bits_in_any_company(config: Config, precision: str) -> None:
    """The bits do not depend on batch, step size or threads: a prompt reads its rounded cache."""
    check_same_bits(model(config, cache_precision=precision))


@precisions
def test_kept_attention(precision: str) -> None:
    reference = Rounding(TRANSFORMER, weights64(TRANSFORMER), precision)
    decoder = model(TRANSFORMER, cache_precision=precision)
    state, sequence = start(decoder, 1)
    state.keep_alignment = state.keep_all_attentions = True
    decoder.step([1, 2], np.repeat(sequence, 2), state)
    right = reference.attentions(SOURCES[0], [1, 2])
    for found, expected in zip(state.attentions, (right.decoder, right.cross), strict=True):
        assert_close(found, expected, ANOTHER_STEP[precision])
    assert_close(state.attention, right.cross[-1].mean(axis=0), ANOTHER_STEP[precision])


@precisions
def test_a_model_knows_what_it_keeps(precision: str) -> None:
    for config, kept in ((GPT2, precision), (TRANSFORMER_LM, precision), (RNN_LM, None)):
        assert model(config, cache_precision=precision).cache_precision == kept
    assert model(GPT2).cache_precision == "float32"


@pytest.mark.parametrize("cache_precision", ["float32", *KEPT])
def test_what_a_page_held_before_is_not_seen(cache_precision: str) -> None:
    weights = random_weights(GPT2, 0)
    weights["transformer.wte.weight"][12] = np.nan  # this token's keys and values become NaN
    decoder = build(GPT2, weights, BuildSettings(cache_precision=cache_precision))
    state, sequences = start(decoder, 1)
    decoder.step([12] * 20, np.repeat(sequences, 20), state)
    state.drop(sequences)
    fresh, alone = start(decoder, 1)
    again = state.add(1)
    for token in range(10):
        found = decoder.step([token], again, state)
        np.testing.assert_array_equal(found, decoder.step([token], alone, fresh))
        assert np.isfinite(found[0, :12]).all()
