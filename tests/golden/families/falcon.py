"""Falcon."""

from __future__ import annotations

from tests.golden.families.family import VOCAB, Family, rotary
from tests.models.configs import SCALINGS

RW = {"alibi": True, "multi_query": False, "parallel_attn": False, "bias": True}
FAMILY = Family(
    config_class="FalconConfig",
    model_class="FalconForCausalLM",
    base={
        "vocab_size": VOCAB,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 64,
        "rope_theta": 10_000.0,
    },
    variants={
        "7b": {},
        "40b": {"new_decoder_architecture": True, "num_kv_heads": 2},
        "2 11b: 1 norm": {
            "new_decoder_architecture": True,
            "num_kv_heads": 2,
            "num_ln_in_parallel_attn": 1,
            "ffn_hidden_size": 40,
            "rope_theta": 500_042.0,
        },
        "rw: ALiBi": RW,
        "ALiBi, 16 heads, multi-query": {
            "alibi": True,
            "num_attention_heads": 16,
            "tie_word_embeddings": False,
        },
        "one after the other, linear, relu": {
            **RW,
            "alibi": False,
            "rope_scaling": SCALINGS["linear"],
            "activation": "relu",
        },
    },
    wrong=[
        ("rw: ALiBi", {"alibi": False}),
        ("7b", {"layer_norm_epsilon": 1e-2}),
        ("7b", {"activation": "gelu_new"}),
        ("one after the other, linear, relu", {"rope_scaling": None}),
    ],
    options=rotary,
    attention="sdpa",  # eager attention of transformers 5 adds the biases twice
    early={
        "40b": {
            "alibi": False,
            "apply_residual_connection_post_layernorm": False,
            "architectures": ["FalconForCausalLM"],
            "auto_map": {"AutoConfig": "configuration_falcon.FalconConfig"},
            "bias": False,
            "hidden_dropout": 0.0,
            "hidden_size": 32,
            "layer_norm_epsilon": 1e-5,
            "multi_query": True,
            "new_decoder_architecture": True,
            "num_attention_heads": 4,
            "num_hidden_layers": 2,
            "num_kv_heads": 2,
            "parallel_attn": True,
            "transformers_version": "4.27.4",
            "vocab_size": VOCAB,
        }
    },
)
