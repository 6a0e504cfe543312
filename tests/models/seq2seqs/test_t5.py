from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attnengine.errors import FormatError
from attnengine.models import build
from attnengine.models.parts.position_bias import relative_buckets
from attnengine.reference import position_bias as reference
from attnengine.reference.random_weights import random_weights
from tests.models.checks import assert_close, check_same_bits, model, start
from tests.models.configs import T5

FAMILIES = ("t5", "mt5", "umt5")


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("num_buckets", "max_distance"), [(4, 3), (7, 9), (32, 128), (64, 1000)])
def test_buckets(num_buckets: int, max_distance: int, bidirectional: bool) -> None:
    distances = np.arange(-max_distance - 5, max_distance + 6)
    found = relative_buckets(distances, num_buckets, max_distance, bidirectional=bidirectional)
    expected = reference.relative_buckets(
        distances, num_buckets, max_distance, bidirectional=bidirectional
    )
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("family", FAMILIES)
def test_same_bits_in_any_company(family: str) -> None:
    # large enough that two threads share the work
    sizes = {"d_model": 256, "d_kv": 32, "d_ff": 512, "num_heads": 8}
    vocabularies = {"source_vocab_size": 500, "target_vocab_size": 500}
    check_same_bits(model(T5 | {"architecture": family} | sizes | vocabularies), (1, 7, 140))


def test_any_length_of_source_and_target() -> None:
    t5 = model(T5)
    assert (t5.max_positions, t5.max_source_positions) == (0, 0)


@pytest.mark.parametrize("family", FAMILIES)
def test_scaled_output_and_one_of_its_own(family: str) -> None:
    config = T5 | {"architecture": family}
    weights = random_weights(config, 0)
    scaled = logits(build(config, weights))
    weights["lm_head.weight"] = weights["shared.weight"] * np.float32(12**-0.5)
    untied = logits(build(config | {"tie_word_embeddings": False}, weights))
    if family == "mt5":
        scaled = scaled * 12**-0.5
    assert_close(untied, scaled)


@pytest.mark.parametrize("family", ["t5", "umt5"])
def test_a_scale_that_is_given_overrides_the_tie(family: str) -> None:
    """transformers 5 writes ``tie_word_embeddings`` true for a model that its file has untied."""
    config = T5 | {"architecture": family}
    weights = random_weights(config, 0)
    weights["lm_head.weight"] = weights["shared.weight"][::-1]
    given = logits(build(config | {"scale_decoder_outputs": False}, weights))
    untied = logits(build(config | {"tie_word_embeddings": False}, weights))
    np.testing.assert_array_equal(given, untied)


def logits(t5: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    state, sequence = start(t5, 1)
    result: np.ndarray[Any, np.dtype[np.float32]] = t5.step(
        [1, 2], np.repeat(sequence, 2), state
    ).copy()
    return result


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"relative_attention_max_distance": 6}, "'relative_attention_max_distance' 6, expected"),
        ({"relative_attention_max_distance": 2**30}, "and 7 to 2796202 as distance"),
        ({"target_vocab_size": 12}, "expected equal vocabulary sizes"),
        ({"feed_forward_proj": "gated"}, "'feed_forward_proj' is 'gated', expected one of 'relu'"),
        ({"n_positions": 256}, "'n_positions' is no key of 't5'"),
        ({"is_gated_act": False}, r"'encoder\.block\.0\..*\.wi\.weight' is missing"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        build(T5 | changes, random_weights(T5, 0))


def test_too_few_buckets_are_refused() -> None:
    config = T5 | {"relative_attention_num_buckets": 3}
    with pytest.raises(FormatError, match=r"'relative_attention_num_buckets' is 3 .* 4 buckets"):
        build(config, random_weights(config, 0))
