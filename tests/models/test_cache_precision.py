"""Decoders that keep keys and values in float16, against references that round theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attnengine.models import build
from attnengine.reference import decoder_only
from attnengine.reference.attention import scaled_dot_attention
from attnengine.reference.decoder_only import DecoderOnly
from attnengine.reference.half import half
from attnengine.reference.random_weights import random_weights
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
from tests.packed import packed_in

# One key in a few thousand is rounded to another half in float64 than in float32, off by 5e-4 of
# itself; each instruction set has others.
ANOTHER_HALF = 2e-4


def with_float16(config: Config) -> Any:
    return model(config, cache_precision="float16")


class Rounding(Transformer):
    """Its decoder keeps halves; what its encoder attends to is not kept."""

    def decode(self, *args: Any) -> Any:
        attend = super()._attend
        self._attend = lambda x, cache, *more: attend(x, Cache(*map(half, cache)), *more)  # type: ignore[method-assign]
        try:
            return super().decode(*args)
        finally:
            del self._attend


def check(decoder: Any, rounded: list[Any], exact: list[Any]) -> None:
    """Logits of every target are those of the reference that rounds, and not the exact ones."""
    check_decoder(decoder, lambda i: rounded[i], ANOTHER_HALF)
    state, sequences = start(decoder, len(TARGETS))
    rows = np.repeat(sequences, [len(target) for target in TARGETS])
    found = decoder.step(np.concatenate(TARGETS), rows, state)
    error, change = (np.linalg.norm(found - np.concatenate(y)) for y in (rounded, exact))
    assert error < 0.3 * change


@pytest.mark.parametrize("config", [GPT2, LLAMA], ids=["gpt2", "llama"])
def test_language_models(monkeypatch: pytest.MonkeyPatch, config: Config) -> None:
    def attention(query: Any, keys: Any, values: Any, *args: Any, **options: Any) -> Any:
        return scaled_dot_attention(query, half(keys), half(values), *args, **options)

    reference = DecoderOnly(config, weights64(config))
    exact = [reference.logits(target) for target in TARGETS]
    monkeypatch.setattr(decoder_only, "scaled_dot_attention", attention)
    check(with_float16(config), [reference.logits(target) for target in TARGETS], exact)


@pytest.mark.parametrize("changes", [{}, {"decoder_self_attention": "ssru"}], ids=["", "ssru"])
def test_encoder_decoders(changes: Config) -> None:
    """Keys and values of the source are kept in float16 too."""
    config = TRANSFORMER | changes
    rounded, exact = (
        [reference.logits(*pair) for pair in zip(SOURCES, TARGETS, strict=True)]
        for reference in (make(config, weights64(config)) for make in (Rounding, Transformer))
    )
    check(with_float16(config), rounded, exact)


@pytest.mark.parametrize(
    "config",
    [GPT2 | {"vocab_size": 500, "n_embd": 192}, TRANSFORMER | {"source_vocab_size": 13}],
    ids=["gpt2", "transformer"],
)
def test_same_bits_in_any_company(config: Config) -> None:
    """Beside others, token by token, with 1 and 2 threads: a prompt reads itself rounded."""
    check_same_bits(with_float16(config))


def test_kept_attention() -> None:
    reference = Rounding(TRANSFORMER, weights64(TRANSFORMER))
    decoder = with_float16(TRANSFORMER)
    state, sequence = start(decoder, 1)
    state.keep_attention = state.keep_attentions = True
    decoder.step([1, 2], np.repeat(sequence, 2), state)
    right = reference.attentions(SOURCES[0], [1, 2])
    for found, expected in zip(state.attentions, (right.decoder, right.cross), strict=True):
        assert_close(found, expected, ANOTHER_HALF)
    assert_close(state.attention, right.cross[-1].mean(axis=0), ANOTHER_HALF)


def test_a_model_knows_what_it_keeps() -> None:
    for config, kept in ((GPT2, "float16"), (TRANSFORMER_LM, "float16"), (RNN_LM, None)):
        assert with_float16(config).cache_precision == kept
    assert model(GPT2).cache_precision == "float32"


@pytest.mark.parametrize("cache_precision", ["float32", "float16"])
def test_what_a_page_held_before_is_not_seen(cache_precision: str) -> None:
    weights = random_weights(GPT2, 0)
    weights["transformer.wte.weight"][12] = np.nan  # and so are the keys and values of this token
    with packed_in("float32", cache_precision=cache_precision):
        decoder = build(GPT2, weights)
    state, sequences = start(decoder, 1)
    decoder.step([12] * 20, np.repeat(sequences, 20), state)
    state.drop(sequences)
    fresh, alone = start(decoder, 1)
    again = state.add(1)
    for token in range(10):
        found = decoder.step([token], again, state)
        np.testing.assert_array_equal(found, decoder.step([token], alone, fresh))
        assert np.isfinite(found[0, :12]).all()
