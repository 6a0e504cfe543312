"""Qwen3."""

from __future__ import annotations

from tests.golden.families import llama
from tests.golden.families.family import Family, rotary
from tests.golden.families.qwen2 import WINDOWS
from tests.models.configs import SCALINGS

FAMILY = Family(
    config_class="Qwen3Config",
    model_class="Qwen3ForCausalLM",
    base=llama.BASE | {"head_dim": 12, "rope_theta": 1e6},
    variants={
        "plain": {},
        "biases, tied": {"attention_bias": True, "tie_word_embeddings": True},
        "rope yarn, mscale": {"rope_scaling": SCALINGS["yarn, mscale"]},
        "windows above layer 1": WINDOWS,
        "windows by layer": WINDOWS | {"layer_types": ["sliding_attention", "full_attention"]},
    },
    wrong=[
        ("rope yarn, mscale", {"rope_scaling": SCALINGS["yarn"]}),
        (
            "rope yarn, mscale",
            {"rope_scaling": SCALINGS["yarn, mscale"] | {"truncate": True}},
        ),
        ("windows above layer 1", {"max_window_layers": 2}),
        ("windows by layer", {"layer_types": None}),
    ],
    options=rotary,
    early={
        "windows above layer 1": llama.EARLY
        | WINDOWS
        | {"head_dim": 12, "rope_theta": 1000000, "attention_bias": False},
    },
)
