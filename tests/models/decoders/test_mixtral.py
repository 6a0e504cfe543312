from __future__ import annotations

from typing import Any

import numpy as np
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
    run_together,
    weights64,
)
from tests.models.configs import MIXTRAL


@pytest.mark.parametrize("chosen", [1, 2, 5])
@pytest.mark.parametrize("window", [None, 20])
def test_experts_match_the_reference(chosen: int, window: int | None) -> None:
    config = MIXTRAL | {"num_experts_per_tok": chosen, "sliding_window": window}
    reference = DecoderOnly(config, weights64(config))
    check_decoder(model(config), lambda i: reference.logits(TARGETS[i]))
    check_long(model(config), reference.logits)


def test_same_bits_in_any_company() -> None:
    # large enough that two threads share the work
    sizes = {"vocab_size": 500, "hidden_size": 256, "intermediate_size": 344}
    check_same_bits(model(MIXTRAL | sizes | {"num_attention_heads": 8}))


def one_by_one(weights: dict[str, Any]) -> dict[str, Any]:
    """The weights with one matrix per expert, as files store them."""
    separate = {}
    for name, values in weights.items():
        place, _, part = name.replace(".mlp.", ".block_sparse_moe.").rpartition(".")
        for i in range(MIXTRAL["num_local_experts"]):
            if part == "gate_up_proj":
                gate, up = np.split(values[i], 2)
                separate |= {f"{place}.{i}.w1.weight": gate, f"{place}.{i}.w3.weight": up}
            elif part == "down_proj":
                separate[f"{place}.{i}.w2.weight"] = values[i]
            else:
                separate[f"{place}.{part}"] = values
    return separate


def test_experts_one_by_one() -> None:
    weights, prompt = random_weights(MIXTRAL, 0), np.arange(13)
    stacked, separate = (
        run_together(build(MIXTRAL, w), [prompt], [prompt])[0]
        for w in (weights, one_by_one(weights))
    )
    np.testing.assert_array_equal(separate, stacked)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_experts_per_tok": 6}, "experts_per_token is 6, expected 1 to 5"),
        ({"num_local_experts": 4}, r"gate\.weight' has shape \(5, 24\), expected \(4, 24\)"),
        ({"num_local_experts": 2**31 - 1}, r"gate\.weight' has shape \(5, 24\)"),
        ({"intermediate_size": 21}, r"gate_up_proj' has shape \(5, 40, 24\), expected \(5, 42"),
    ],
)
def test_bad_configs(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        build(MIXTRAL | changes, random_weights(MIXTRAL, 0))


def test_a_missing_expert() -> None:
    weights = one_by_one(random_weights(MIXTRAL, 0))
    del weights["model.layers.1.block_sparse_moe.experts.4.w2.weight"]
    with pytest.raises(FormatError, match=r"layers\.1\.block_.*\.experts\.4\.w2\.weight' is mis"):
        build(MIXTRAL, weights)
