"""SmolLM3."""

from __future__ import annotations

from typing import Any

from tests.golden.families import llama
from tests.golden.families.family import Config, Family, rotary

WINDOWS = {"use_sliding_window": True, "sliding_window": 5}


def options(config: Config) -> dict[str, Any]:
    """Options of transformers' config class, with a padding token of this vocabulary."""
    return rotary(config) | {"pad_token_id": 0}


FAMILY = Family(
    config_class="SmolLM3Config",
    model_class="SmolLM3ForCausalLM",
    base=llama.BASE | {"tie_word_embeddings": True, "no_rope_layer_interval": 2},
    variants={
        "plain": {},
        "biases, untied": {
            "attention_bias": True,
            "mlp_bias": True,
            "tie_word_embeddings": False,
        },
        "layers without positions": {"no_rope_layers": [0, 1]},
        "windows": WINDOWS,
        "windows by layer": WINDOWS | {"layer_types": ["sliding_attention", "full_attention"]},
    },
    wrong=[
        ("plain", {"no_rope_layer_interval": 1}),
        ("plain", {"no_rope_layer_interval": 3}),
        ("layers without positions", {"no_rope_layers": [1, 0]}),
        ("windows", {"use_sliding_window": False}),
        ("windows by layer", {"layer_types": None}),
    ],
    options=options,
    early={
        "layers without positions": llama.EARLY
        | {
            "attention_bias": False,
            "layer_types": ["full_attention", "full_attention"],
            "max_window_layers": 28,
            "mlp_bias": False,
            "no_rope_layer_interval": 2,
            "no_rope_layers": [0, 1],
            "sliding_window": None,
            "tie_word_embeddings": True,
            "use_sliding_window": False,
        }
    },
)
