from __future__ import annotations

from typing import Any

import pytest

from attnengine.errors import FormatError
from attnengine.models import build
from attnengine.reference.decoder_only import DecoderOnly
from attnengine.reference.random_weights import random_weights
from tests.models.checks import (
    TARGETS,
    check_decoder,
    check_long,
    check_same_bits,
    model,
    weights64,
)
from tests.models.configs import GPT2


def check(config: dict[str, Any]) -> None:
    reference = DecoderOnly(config, weights64(config))
    check_decoder(model(config), lambda i: reference.logits(TARGETS[i]))


@pytest.mark.parametrize("num_heads", [1, 3, 12])
@pytest.mark.parametrize("wide", [None, 17])
@pytest.mark.parametrize("tied", [True, False])
def test_heads_and_sizes(num_heads: int, wide: int | None, tied: bool) -> None:
    check(GPT2 | {"n_head": num_heads, "n_inner": wide, "tie_word_embeddings": tied})


@pytest.mark.parametrize("activation", ["gelu_new", "gelu", "relu", "silu"])
def test_activations(activation: str) -> None:
    check(GPT2 | {"activation_function": activation, "layer_norm_epsilon": 1e-3})


def test_long_sequences() -> None:
    check_long(model(GPT2), DecoderOnly(GPT2, weights64(GPT2)).logits)


def test_same_bits_in_any_company() -> None:
    check_same_bits(model(GPT2 | {"vocab_size": 500, "n_embd": 192}))


def test_an_unknown_switch_is_refused() -> None:
    with pytest.raises(FormatError, match="'add_cross_attention' is no key of 'gpt2'"):
        build(GPT2 | {"add_cross_attention": True}, random_weights(GPT2, 0))


@pytest.mark.parametrize("by_size", [True, False])
@pytest.mark.parametrize("by_layer", [True, False])
def test_scales_of_scores(by_size: bool, by_layer: bool) -> None:
    check(GPT2 | {"scale_attn_weights": by_size, "scale_attn_by_inverse_layer_idx": by_layer})


def test_heads_that_do_not_fit() -> None:
    with pytest.raises(FormatError, match="'n_head' is 5, expected a divisor of the hidden"):
        build(GPT2 | {"n_head": 5}, random_weights(GPT2, 0))
