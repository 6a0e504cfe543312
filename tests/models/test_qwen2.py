from __future__ import annotations

import pytest

from attnengine.errors import Unsupported
from attnengine.models import build
from attnengine.reference.decoder_only import DecoderOnly
from attnengine.reference.random_weights import random_weights
from tests.models.checks import TARGETS, check_decoder, check_long, model, weights64
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


def test_windows_are_refused() -> None:
    off = QWEN2 | {"use_sliding_window": False, "sliding_window": 8, "max_window_layers": 1}
    weights = random_weights(QWEN2, 0)
    build(off, weights)
    with pytest.raises(Unsupported, match="'use_sliding_window' is true, expected false"):
        build(off | {"use_sliding_window": True}, weights)
