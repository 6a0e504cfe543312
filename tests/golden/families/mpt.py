"""MPT."""

from __future__ import annotations

from typing import Any

from tests.golden.families.family import VOCAB, Config, Family

ATTENTION = ("alibi_bias_max", "clip_qkv", "softmax_scale")


def options(config: Config) -> dict[str, Any]:
    """The keys of attention in an object of their own."""
    given = dict(config)
    given["attn_config"] = {key: given.pop(key) for key in ATTENTION if key in given}
    return given


FAMILY = Family(
    config_class="MptConfig",
    model_class="MptForCausalLM",
    base={"vocab_size": VOCAB, "d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 64},
    variants={
        "plain": {},
        "clipped": {"clip_qkv": 1.5},
        "6 heads, scale": {"d_model": 24, "n_heads": 6, "softmax_scale": 0.25},
        "untied, epsilon 0.001": {"tie_word_embeddings": False, "layer_norm_epsilon": 1e-3},
    },
    wrong=[
        ("clipped", {"clip_qkv": None}),
        # transformers takes 8 whatever the config says; MosaicML's code does not
        ("clipped", {"alibi_bias_max": 16}),
        ("6 heads, scale", {"softmax_scale": None}),
        ("untied, epsilon 0.001", {"layer_norm_epsilon": 1e-5}),
    ],
    options=options,
)
