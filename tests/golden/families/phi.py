"""Phi 1, 1.5 and 2."""

from __future__ import annotations

from tests.golden.families.family import VOCAB, Family, rotary
from tests.models.configs import SCALINGS

FAMILY = Family(
    config_class="PhiConfig",
    model_class="PhiForCausalLM",
    base={
        "vocab_size": VOCAB,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 64,
        "rope_theta": 10_000.0,
        "partial_rotary_factor": 0.5,
    },
    variants={
        "plain": {},
        "query and key norms": {"qk_layernorm": True, "partial_rotary_factor": 0.25},
        "1 key/value head, linear": {"num_key_value_heads": 1, "rope_scaling": SCALINGS["linear"]},
        "tied, gelu": {"tie_word_embeddings": True, "hidden_act": "gelu"},
    },
    wrong=[
        ("plain", {"partial_rotary_factor": 0.25}),
        ("plain", {"layer_norm_eps": 1e-2}),
        ("tied, gelu", {"hidden_act": "gelu_new"}),
        ("1 key/value head, linear", {"rope_scaling": None}),
    ],
    options=rotary,
    early={
        "plain": {
            "architectures": ["PhiForCausalLM"],
            "attention_dropout": 0.0,
            "embd_pdrop": 0.0,
            "hidden_act": "gelu_new",
            "hidden_size": 32,
            "intermediate_size": 48,
            "layer_norm_eps": 1e-5,
            "max_position_embeddings": 64,
            "num_attention_heads": 2,
            "num_hidden_layers": 2,
            "num_key_value_heads": None,
            "partial_rotary_factor": 0.5,
            "qk_layernorm": False,
            "resid_pdrop": 0.0,
            "rope_scaling": None,
            "rope_theta": 10000.0,
            "tie_word_embeddings": False,
            "vocab_size": VOCAB,
        }
    },
)
