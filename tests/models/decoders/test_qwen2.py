from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from attnengine.errors import FormatError
from attnengine.models import build
from attnengine.reference.decoder_only import DecoderOnly
from attnengine.reference.random_weights import random_weights
from tests.models.checks import TARGETS, check_decoder, check_long, model, run_together, weights64
from tests.models.configs import QWEN2, SCALINGS


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
@pytest.mark.parametrize("tied", [False, True])
def test_matches_the_reference(kv_heads: int, tied: bool) -> None:
    config = QWEN2 | {"num_key_value_heads": kv_heads, "tie_word_embeddings": tied}
    reference = DecoderOnly(config, weights64(config))
    check_decoder(model(config), lambda i: reference.logits(TARGETS[i]))


def test_queries_keys_and_values_have_biases() -> None:
    biases = {name.split(".")[-2] for name in random_weights(QWEN2, 0) if name.endswith("bias")}
    assert biases == {"q_proj", "k_proj", "v_proj"}


@pytest.mark.parametrize("scaling", ["none", "yarn"])
def test_long_sequences(scaling: str) -> None:
    config = QWEN2 | {"rope_scaling": SCALINGS[scaling]}
    check_long(model(config), DecoderOnly(config, weights64(config)).logits)


def logits(changes: dict[str, Any], weights: dict[str, Any]) -> list[NDArray[np.float32]]:
    prompt = np.random.default_rng(0).integers(0, 13, 20)
    return run_together(build(QWEN2 | changes, weights), [prompt], [prompt])


def test_windows() -> None:
    """max_window_layers or layer_types choose windowed layers if use_sliding_window is true."""
    weights = random_weights(QWEN2, 0)
    upper = {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 1}
    named = {"layer_types": ["full_attention", "sliding_attention"], "max_window_layers": 0}
    expected = logits(upper, weights)
    np.testing.assert_array_equal(logits(upper | named, weights), expected)
    without = logits(upper | {"use_sliding_window": False}, weights)
    np.testing.assert_array_equal(without, logits({}, weights))
    np.testing.assert_array_equal(without[0][:8], expected[0][:8])
    assert np.abs(without[0] - expected[0]).max() > 0.01


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layer_types": ["full_attention"]}, "'layer_types' has 1 entries, expected"),
        ({"layer_types": ["full_attention", "chunked"]}, "'layer_types' is 'chunked', expected"),
        (
            {"layer_types": ["sliding_attention"] * 2, "sliding_window": 8},
            "a layer is 'sliding_attention', but there is no window",
        ),
    ],
)
def test_windows_that_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        build(QWEN2 | changes, random_weights(QWEN2, 0))
