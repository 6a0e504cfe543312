"""Cohere's Command R7B."""

from __future__ import annotations

from tests.golden.families import cohere
from tests.golden.families.family import VOCAB, Family, rotary

TYPES = {"layer_types": ["full_attention", "sliding_attention"]}
FAMILY = Family(
    config_class="Cohere2Config",
    model_class="Cohere2ForCausalLM",
    base=cohere.BASE | {"sliding_window": 5},
    variants={
        "4 layers": {"num_hidden_layers": 4, "head_dim": 8},
        "pattern of 2": {"sliding_window_pattern": 2},
        "layer types, biases": {**TYPES, "attention_bias": True},
    },
    wrong=[
        ("4 layers", {"sliding_window": 6}),
        ("4 layers", {"sliding_window_pattern": 2}),
        ("layer types, biases", {"layer_types": ["full_attention", "full_attention"]}),
    ],
    options=rotary,
    early={
        "4 layers": {
            "architectures": ["Cohere2ForCausalLM"],
            "attention_bias": False,
            "cache_implementation": "hybrid",
            "head_dim": 8,
            "hidden_act": "silu",
            "hidden_size": 32,
            "intermediate_size": 48,
            "layer_norm_eps": 1e-5,
            "layer_switch": 4,
            "logit_scale": 0.5,
            "max_position_embeddings": 64,
            "num_attention_heads": 4,
            "num_hidden_layers": 4,
            "num_key_value_heads": 2,
            "order_of_interleaved_layers": "local_attn_first",
            "position_embedding_type": "rope_gptj",
            "rope_scaling": None,
            "rope_theta": 10000,
            "rotary_pct": 1.0,
            "sliding_window": 5,
            "sliding_window_pattern": 4,
            "use_embedding_sharing": True,
            "use_gated_activation": True,
            "use_parallel_block": True,
            "use_parallel_embedding": True,
            "use_qk_norm": False,
            "vocab_size": VOCAB,
        }
    },
)
