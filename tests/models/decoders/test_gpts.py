"""Families like GPT-2: the same bits in any batch, and configs that contradict themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attnengine.errors import FormatError, Unsupported
from attnengine.models import build
from attnengine.models.parts.attention import alibi_slopes
from attnengine.reference import position_bias as reference
from tests.golden import huggingface as golden
from tests.models.checks import check_same_bits, run_together

SIZES = ("vocab_size", "hidden_size", "intermediate_size", "n_embd", "rotary_dim")


def changed(name: str, variant: str, changes: dict[str, Any]) -> Any:
    case = golden.cases(name)[variant]
    return build(case["config"] | changes, golden.weights(case["shapes"], case["seed"]))


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("bloom", "plain"),  # ALiBi
        ("starcoder2", "plain"),  # a sliding window
        ("gptj", "plain"),  # parallel blocks, rotary pairs of neighbours
        ("falcon", "40b"),  # parallel blocks with two norms, grouped keys and values
    ],
)
def test_same_bits_in_any_company(name: str, variant: str) -> None:
    """The model is eight times wider than others, so that two threads share the work."""
    case = golden.cases(name)[variant]
    config = {key: 8 * v if key in SIZES else v for key, v in case["config"].items()}
    shapes = {weight: [8 * n for n in shape] for weight, shape in case["shapes"].items()}
    check_same_bits(build(config, golden.weights(shapes, 0)))


@pytest.mark.parametrize(("name", "variant"), [("gpt_neox", "plain"), ("falcon", "40b")])
def test_dynamic_positions_go_on(name: str, variant: str) -> None:
    scaling = {"rope_type": "dynamic", "factor": 2.0}
    known = golden.cases(name)[variant]["config"]["max_position_embeddings"]
    assert changed(name, variant, {"rope_scaling": scaling}).max_positions == 2 * known


def test_mpt_with_narrower_feed_forward() -> None:
    """Rows and columns of zeros change nothing: GELU of 0 is 0."""
    case = golden.cases("mpt")["plain"]
    weights = golden.weights(case["shapes"], case["seed"])
    narrow, padded = dict(weights), dict(weights)
    for name, weight in weights.items():
        kept = 3 * case["config"]["d_model"]
        if name.endswith("up_proj.weight"):
            narrow[name] = weight[:kept]
            padded[name] = np.concatenate([narrow[name], np.zeros_like(weight[kept:])])
        elif name.endswith("down_proj.weight"):
            narrow[name] = np.ascontiguousarray(weight[:, :kept])
            padded[name] = np.concatenate([narrow[name], np.zeros_like(weight[:, kept:])], axis=1)
    models = [
        build(case["config"] | {"expansion_ratio": ratio}, given)
        for ratio, given in ((3, narrow), (4, padded))
    ]
    got, expected = (run_together(decoder, [[1, 2, 3]], [[]])[0] for decoder in models)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)  # sums in another order


@pytest.mark.parametrize("max_bias", [8.0, 16.0])
@pytest.mark.parametrize("num_heads", [1, 2, 3, 8, 12, 71])
def test_alibi_slopes(num_heads: int, max_bias: float) -> None:
    expected = reference.alibi_slopes(num_heads, max_bias)
    np.testing.assert_allclose(alibi_slopes(num_heads, max_bias), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "variant", "changes", "message"),
    [
        ("bloom", "plain", {"n_head": 5}, "'n_head' is 5, expected a divisor of the hidden"),
        ("bloom", "plain", {"n_head": 2**17}, "'n_head' is 131072, expected at most 65536"),
        ("cohere", "plain", {"num_key_value_heads": 3}, "3 key/value heads, expected a divisor"),
        ("cohere", "plain", {"head_dim": 9}, "a head has 9 dimensions, expected an even number"),
        ("cohere", "plain", {"logit_scale": None}, "'logit_scale' is None, expected a number"),
        ("cohere2", "4 layers", {"layer_types": ["full_attention"]}, "'layer_types' has 1 entries"),
        ("cohere2", "4 layers", {"layer_types": ["chunked"] * 4}, "'layer_types' is 'chunked'"),
        ("cohere2", "4 layers", {"sliding_window": None}, "'sliding_window' is None, expected"),
        ("falcon", "40b", {"num_kv_heads": 4}, r"has shape \(64, 32\), expected \(96, 32\)"),
        (
            *("falcon", "rw: ALiBi", {"max_position_embeddings": 2**31 - 1}),
            "'max_position_embeddings' is 2147483647, expected at most 16777216 with 'alibi'",
        ),
        ("gpt_neox", "plain", {"partial_rotary_factor": 1.5}, "is 1.5, expected at most 1"),
        ("gpt_neox", "plain", {"partial_rotary_factor": 0.2}, "a head has 3 dimensions, expected"),
        ("gpt_neox", "plain", {"attention_bias": False}, r"left over.*attention\.dense\.bias"),
        ("gptj", "plain", {"rotary_dim": 18}, "'rotary_dim' is 18, expected at most 16"),
        ("mpt", "plain", {"clip_qkv": -1.0}, "'clip_qkv' is -1.0, expected a number above 0"),
        ("opt", "plain", {"word_embed_proj_dim": 16}, r"shape \(60, 32\), expected \(60, 16\)"),
        ("stablelm", "plain", {"qk_layernorm": True}, r"q_layernorm\.norms\.0\.weight' is missing"),
    ],
)
def test_bad_configs(name: str, variant: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        changed(name, variant, changes)


def test_falcon_of_the_new_architecture_has_its_blocks_side_by_side() -> None:
    with pytest.raises(Unsupported, match="'parallel_attn' is false, expected true with 'new_dec"):
        changed("falcon", "40b", {"parallel_attn": False})
