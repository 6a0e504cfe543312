"""Qwen2."""

from __future__ import annotations

from tests.golden.families import llama
from tests.golden.families.family import Family, rotary
from tests.models.configs import SCALINGS

WINDOWS = {"use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1}

FAMILY = Family(
    config_class="Qwen2Config",
    model_class="Qwen2ForCausalLM",
    base=llama.BASE | {"rope_theta": 1e6},
    variants={
        "plain": {},
        "tied": {"tie_word_embeddings": True},
        "rope yarn": {"rope_scaling": SCALINGS["yarn"]},
        "1 key/value head": {"num_key_value_heads": 1},
        "windows above layer 1": WINDOWS,
        "windows by layer": WINDOWS | {"layer_types": ["sliding_attention", "full_attention"]},
    },
    wrong=[
        ("windows above layer 1", {"use_sliding_window": False}),
        ("windows above layer 1", {"max_window_layers": 0}),
        ("windows by layer", {"layer_types": None}),
    ],
    options=rotary,
    early={
        "windows above layer 1": llama.EARLY | WINDOWS | {"rope_theta": 1e6},
        "rope yarn": llama.EARLY
        | {"rope_theta": 1000000, "use_sliding_window": False, "sliding_window": 4096}
        | {
            "rope_scaling": {
                "type": "yarn",
                "factor": 4.0,
                "original_max_position_embeddings": 32,
            }
        },
    },
)
