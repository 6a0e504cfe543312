"""Cohere's Command R."""

from __future__ import annotations

from tests.golden.families.family import VOCAB, Family, rotary
from tests.models.configs import SCALINGS

BASE = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "rope_theta": 10_000.0,
    "logit_scale": 0.5,
}
FAMILY = Family(
    config_class="CohereConfig",
    model_class="CohereForCausalLM",
    base=BASE,
    variants={
        "plain": {},
        "query and key norms": {"use_qk_norm": True},
        "biases, linear": {"attention_bias": True, "rope_scaling": SCALINGS["linear"]},
        "untied, gelu": {"tie_word_embeddings": False, "hidden_act": "gelu"},
    },
    wrong=[
        ("plain", {"logit_scale": 0.25}),
        ("plain", {"rope_theta": 1000.0}),
        ("biases, linear", {"rope_scaling": None}),
        ("untied, gelu", {"hidden_act": "silu"}),
    ],
    options=rotary,
    early={
        "query and key norms": {
            "architectures": ["CohereForCausalLM"],
            "attention_bias": False,
            "attention_dropout": 0.0,
            "hidden_act": "silu",
            "hidden_size": 32,
            "intermediate_size": 48,
            "layer_norm_eps": 1e-5,
            "logit_scale": 0.5,
            "max_position_embeddings": 64,
            "model_max_length": 131072,
            "num_attention_heads": 4,
            "num_hidden_layers": 2,
            "num_key_value_heads": 2,
            "rope_theta": 10000,
            "use_qk_norm": True,
            "vocab_size": VOCAB,
        }
    },
)
