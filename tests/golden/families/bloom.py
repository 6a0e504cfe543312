"""BLOOM."""

from __future__ import annotations

from tests.golden.families.family import VOCAB, Family

FAMILY = Family(
    config_class="BloomConfig",
    model_class="BloomForCausalLM",
    base={"vocab_size": VOCAB, "hidden_size": 32, "n_layer": 2, "n_head": 4},
    variants={
        "plain": {},
        "3 heads, untied": {"hidden_size": 24, "n_head": 3, "tie_word_embeddings": False},
        "epsilon 0.001": {"layer_norm_epsilon": 1e-3},
    },
    wrong=[
        ("plain", {"n_head": 2}),
        ("epsilon 0.001", {"layer_norm_epsilon": 1e-5}),
    ],
    early={
        "plain": {
            "apply_residual_connection_post_layernorm": False,
            "architectures": ["BloomModel"],
            "attention_softmax_in_fp32": True,
            "bias_dropout_fusion": True,
            "hidden_dropout": 0.0,
            "layer_norm_epsilon": 1e-5,
            "masked_softmax_fusion": True,
            "n_embed": 32,
            "n_inner": None,
            "n_layer": 2,
            "num_attention_heads": 4,
            "offset_alibi": 100,
            "pretraining_tp": 1,
            "seq_length": 2048,
            "skip_bias_add": True,
            "skip_bias_add_qkv": False,
            "slow_but_exact": False,
            "transformers_version": "4.20.0",
            "unk_token_id": 0,
            "vocab_size": VOCAB,
        }
    },
)
