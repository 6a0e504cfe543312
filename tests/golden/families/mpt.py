"""MPT."""

from __future__ import annotations

from typing import Any

from tests.golden.families.family import VOCAB, Config, Family

ATTENTION = ("alibi_bias_max", "clip_qkv", "softmax_scale")


def options(config: Config) -> dict[str, Any]:
    """Options of transformers' config class, with the attention keys in ``attn_config``."""
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
        # transformers ignores this key and uses 8; MosaicML's code reads it
        ("clipped", {"alibi_bias_max": 16}),
        ("6 heads, scale", {"softmax_scale": None}),
        ("untied, epsilon 0.001", {"layer_norm_epsilon": 1e-5}),
    ],
    options=options,
    early={
        "clipped": {
            "architectures": ["MPTForCausalLM"],
            "attn_config": {
                "alibi": True,
                "alibi_bias_max": 8,
                "attn_impl": "torch",
                "attn_pdrop": 0,
                "attn_type": "multihead_attention",
                "attn_uses_sequence_id": False,
                "clip_qkv": 1.5,
                "prefix_lm": False,
                "qk_ln": False,
                "softmax_scale": None,
            },
            "auto_map": {"AutoConfig": "configuration_mpt.MPTConfig"},
            "d_model": 32,
            "emb_pdrop": 0,
            "embedding_fraction": 1.0,
            "expansion_ratio": 4,
            "init_config": {"init_gain": 0, "name": "kaiming_normal_", "verbose": 0},
            "init_device": "cpu",
            "learned_pos_emb": True,
            "logit_scale": None,
            "max_seq_len": 64,
            "n_heads": 4,
            "n_layers": 2,
            "no_bias": True,
            "norm_type": "low_precision_layernorm",
            "resid_pdrop": 0,
            "tokenizer_name": "EleutherAI/gpt-neox-20b",
            "verbose": 0,
            "vocab_size": VOCAB,
        }
    },
)
