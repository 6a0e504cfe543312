"""OLMo."""

from __future__ import annotations

from tests.golden.families import llama
from tests.golden.families.family import Family, rotary
from tests.models.configs import SCALINGS

EPS = "rms_norm_eps"  # OLMo's norms have a fixed epsilon that no config holds

FAMILY = Family(
    config_class="OlmoConfig",
    model_class="OlmoForCausalLM",
    base={key: value for key, value in llama.BASE.items() if key != EPS},
    variants={
        "plain": {},
        "7b: clipped": {"clip_qkv": 0.5, "num_key_value_heads": 4},
        "biases, head_dim 12": {"attention_bias": True, "head_dim": 12},
        "tied, rope linear, gelu": {
            "tie_word_embeddings": True,
            "rope_scaling": SCALINGS["linear"],
            "hidden_act": "gelu",
        },
    },
    wrong=[
        ("7b: clipped", {"clip_qkv": None}),
        ("7b: clipped", {"clip_qkv": 0.6}),
        ("tied, rope linear, gelu", {"rope_scaling": None}),
        ("tied, rope linear, gelu", {"hidden_act": "silu"}),
    ],
    options=rotary,
    early={
        "7b: clipped": {key: value for key, value in llama.EARLY.items() if key != EPS}
        | {"attention_bias": False, "clip_qkv": 0.5, "num_key_value_heads": 4, "pad_token_id": 1},
    },
)
