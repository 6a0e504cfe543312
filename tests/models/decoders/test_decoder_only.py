"""Refused configs of families like Llama; golden files test their outputs."""

from __future__ import annotations

from typing import Any

import pytest

from attnengine.errors import FormatError
from attnengine.models import build
from tests.golden import huggingface as golden

REFUSED = [
    ("gemma3_text", {"attn_logit_softcapping": 5.0}, "'attn_logit_softcapping' is 5.0, expected n"),
    ("gemma2", {"sliding_window": None}, "a layer is 'sliding_attention', but there is no window"),
    ("gemma2", {"query_pre_attn_scalar": 0}, "'query_pre_attn_scalar' is 0, expected a number"),
    ("phi3", {"partial_rotary_factor": 1.5}, "'partial_rotary_factor' is 1.5, expected at most 1"),
    ("phi3", {"head_dim": 12}, r"qkv_proj.weight' has shape \(64, 32\), expected \(96, 32\)"),
    ("smollm3", {"no_rope_layers": [1]}, r"'no_rope_layers' is \(1,\), expected 0 or 1 for each"),
    ("smollm3", {"no_rope_layers": [1, 2]}, r"'no_rope_layers' is \(1, 2\), expected 0 or 1"),
    ("olmo2", {"num_key_value_heads": 3}, "3 key/value heads, expected a divisor of 4"),
]
WINDOWED = ("gemma2", "gemma3_text", "qwen2", "qwen3", "smollm3")


@pytest.mark.parametrize(("family", "changes", "message"), REFUSED)
def test_what_is_refused(family: str, changes: dict[str, Any], message: str) -> None:
    case = golden.cases(family)["plain"]
    with pytest.raises(FormatError, match=message):
        build(case["config"] | changes, golden.weights(case["shapes"], case["seed"]))


@pytest.mark.parametrize("family", WINDOWED)
def test_layers_without_weights_cost_no_memory(family: str) -> None:
    case = golden.cases(family)["plain"]
    with pytest.raises(FormatError, match=r"'model\.layers\.2\..*' is missing"):
        build(
            case["config"] | {"num_hidden_layers": 2**31 - 1},
            golden.weights(case["shapes"], case["seed"]),
        )


def test_phi3_ends_where_its_other_factors_begin() -> None:
    case = golden.cases("phi3")["longrope"]
    assert case["config"]["max_position_embeddings"] == 128
    assert golden.model(case).max_positions == 64
