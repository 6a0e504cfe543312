"""StableLM."""

from __future__ import annotations

from tests.golden.families.family import VOCAB, Family, rotary

FAMILY = Family(
    config_class="StableLmConfig",
    model_class="StableLmForCausalLM",
    base={
        "vocab_size": VOCAB,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 64,
        "rope_theta": 10_000.0,
        "partial_rotary_factor": 0.25,
    },
    variants={
        "plain": {},
        "2 12b: side by side, query and key norms": {
            "use_parallel_residual": True,
            "qk_layernorm": True,
            "partial_rotary_factor": 0.5,
        },
        "query, key and value biases, gelu": {"use_qkv_bias": True, "hidden_act": "gelu"},
        "tied": {"tie_word_embeddings": True},
    },
    wrong=[
        ("plain", {"partial_rotary_factor": 0.5}),
        ("plain", {"layer_norm_eps": 1e-2}),
        ("query, key and value biases, gelu", {"hidden_act": "silu"}),
    ],
    options=rotary,
    early={
        "2 12b: side by side, query and key norms": {
            "architectures": ["StableLmForCausalLM"],
            "attention_dropout": 0.0,
            "hidden_act": "silu",
            "hidden_dropout": 0.0,
            "hidden_size": 32,
            "intermediate_size": 48,
            "layer_norm_eps": 1e-5,
            "max_position_embeddings": 64,
            "num_attention_heads": 4,
            "num_hidden_layers": 2,
            "num_key_value_heads": 2,
            "partial_rotary_factor": 0.5,
            "qk_layernorm": True,
            "rope_scaling": None,
            "rope_theta": 10000,
            "tie_word_embeddings": False,
            "use_parallel_residual": True,
            "use_qkv_bias": False,
            "vocab_size": VOCAB,
        }
    },
)
