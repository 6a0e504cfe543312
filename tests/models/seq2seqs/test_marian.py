from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from attnengine.errors import FormatError
from attnengine.models import build
from attnengine.reference.marian import Marian
from attnengine.reference.random_weights import random_weights
from tests.models.checks import (
    SOURCES,
    TARGETS,
    assert_close,
    check_decoder,
    check_long,
    check_same_bits,
    model,
    start,
    weights64,
)
from tests.models.configs import MARIAN


def check(config: dict[str, Any]) -> None:
    reference = Marian(config, weights64(config))
    check_decoder(model(config), lambda i: reference.logits(SOURCES[i], TARGETS[i]))


@pytest.mark.parametrize("activation", ["swish", "gelu", "relu"])
@pytest.mark.parametrize("scale", [False, True])
def test_activations_and_scale(activation: str, scale: bool) -> None:
    check(MARIAN | {"activation_function": activation, "scale_embedding": scale})


def test_sides_that_differ() -> None:
    check(
        MARIAN
        | {
            "encoder_layers": 3,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 4,
            "decoder_ffn_dim": 9,
        }
    )


@pytest.mark.parametrize("tied", [True, False])
def test_separate_embeddings(tied: bool) -> None:
    separate = {"share_encoder_decoder_embeddings": False, "source_vocab_size": 11}
    check(MARIAN | separate | {"tie_word_embeddings": tied})


def test_an_output_layer_of_its_own() -> None:
    weights = random_weights(MARIAN, 0)
    order = np.random.default_rng(0).permutation(13)
    tied = step(build(MARIAN, weights))
    weights["lm_head.weight"] = weights["model.shared.weight"][order]
    weights["final_logits_bias"] = weights["final_logits_bias"][:, order]
    untied = step(build(MARIAN | {"tie_word_embeddings": False}, weights))
    assert_close(untied, tied[:, order])
    with pytest.raises(FormatError, match=r"left over, .*'lm_head\.weight'"):
        build(MARIAN, weights)


def step(decoder: Any) -> NDArray[np.float32]:
    state, sequence = start(decoder, 1)
    logits: NDArray[np.float32] = decoder.step([1, 2], np.repeat(sequence, 2), state).copy()
    return logits


def test_long_sequences() -> None:
    reference = Marian(MARIAN, weights64(MARIAN))
    check_long(model(MARIAN), lambda ids: reference.logits(SOURCES[0], ids))


def test_same_bits_in_any_company() -> None:
    # large enough that two threads share the work
    sizes = {"d_model": 256, "encoder_ffn_dim": 512, "decoder_ffn_dim": 512}
    heads = {"encoder_attention_heads": 8, "decoder_attention_heads": 8}
    vocabularies = {"source_vocab_size": 500, "target_vocab_size": 500}
    check_same_bits(model(MARIAN | sizes | heads | vocabularies))


def test_what_is_refused() -> None:
    weights = random_weights(MARIAN, 0)
    with pytest.raises(FormatError, match="'normalize_before' is no key of 'marian'"):
        build(MARIAN | {"normalize_before": True}, weights)
    with pytest.raises(FormatError, match="expected equal vocabulary sizes"):
        build(MARIAN | {"source_vocab_size": 11}, weights)
    for side in ("encoder", "decoder"):
        with pytest.raises(FormatError, match=f"'{side}_attention_heads' is 5, expected a divisor"):
            build(MARIAN | {f"{side}_attention_heads": 5}, weights)
    with pytest.raises(
        FormatError, match=r"'max_positions' is 8388608 .* expected at most 1398101"
    ):
        build(MARIAN | {"max_position_embeddings": 2**23}, weights)
