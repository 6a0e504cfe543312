"""Gemma 3, its language model."""

from __future__ import annotations

from typing import Any

from tests.golden.families import gemma2
from tests.golden.families.family import Config, Family
from tests.models.configs import SCALINGS


def options(config: Config) -> dict[str, Any]:
    """Options of transformers' config class, with a rotation for each kind of layer."""
    options = dict(config)
    full = options.pop("rope_scaling", None) or {"rope_type": "default"}
    options["rope_parameters"] = {
        "full_attention": full | {"rope_theta": options.pop("rope_theta")},
        "sliding_attention": {
            "rope_type": "default",
            "rope_theta": options.pop("rope_local_base_freq"),
        },
    }
    return options | {"hidden_activation": options.pop("hidden_act")}


FAMILY = Family(
    config_class="Gemma3TextConfig",
    model_class="Gemma3ForCausalLM",
    base=gemma2.BASE
    | {
        "attn_logit_softcapping": None,
        "final_logit_softcapping": None,
        "rope_theta": 1e6,
        "rope_local_base_freq": 500.0,
        "sliding_window_pattern": 2,
    },
    variants={
        "plain": {},
        "rope linear": {"rope_scaling": SCALINGS["linear"], "attention_bias": True},
        "pattern 3, capped": {
            "num_hidden_layers": 3,
            "sliding_window_pattern": 3,
            "final_logit_softcapping": 10.0,
        },
        "windows by layer, untied": {
            "layer_types": ["full_attention", "sliding_attention"],
            "tie_word_embeddings": False,
        },
    },
    wrong=[
        ("plain", {"rope_local_base_freq": 1e6}),
        ("plain", {"rope_theta": 500.0}),
        ("plain", {"sliding_window_pattern": 1}),
        ("rope linear", {"rope_scaling": None}),
        ("pattern 3, capped", {"final_logit_softcapping": None}),
    ],
    options=options,
    early={
        "rope linear": gemma2.EARLY
        | {
            "attention_bias": True,
            "attn_logit_softcapping": None,
            "final_logit_softcapping": None,
            "rope_theta": 1000000,
            "rope_local_base_freq": 500,
            "rope_scaling": {"rope_type": "linear", "factor": 2.5},
            "sliding_window_pattern": 2,
            "cache_implementation": "hybrid",
        }
    },
)
