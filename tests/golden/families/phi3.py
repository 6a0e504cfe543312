"""Phi-3."""

from __future__ import annotations

from typing import Any

from tests.golden.families import llama
from tests.golden.families.family import Config, Family, rotary

ORIGINAL = "original_max_position_embeddings"
LONGROPE = {
    "rope_type": "longrope",
    "short_factor": [1.0, 1.25, 1.5, 4.0],
    "long_factor": [1.0, 2.0, 8.0, 16.0],
    ORIGINAL: 64,
}
FACTORS = [1.0, 1.5, 3.0]


def options(config: Config) -> dict[str, Any]:
    """Options of transformers' config class: original positions at top level, a padding token."""
    given = rotary(config) | {"pad_token_id": 0}
    original = given["rope_parameters"].get(ORIGINAL)
    return given if original is None else given | {ORIGINAL: original}


FAMILY = Family(
    config_class="Phi3Config",
    model_class="Phi3ForCausalLM",
    base=llama.BASE | {"partial_rotary_factor": 1.0, "sliding_window": None},
    variants={
        "plain": {},
        "window, tied": {"sliding_window": 5, "tie_word_embeddings": True},
        "longrope": {"rope_scaling": LONGROPE},
        "partial longrope, own factor": {
            "partial_rotary_factor": 0.75,
            "rope_scaling": LONGROPE
            | {"short_factor": FACTORS, "long_factor": FACTORS, "attention_factor": 1.5},
        },
    },
    wrong=[
        ("window, tied", {"sliding_window": None}),
        ("longrope", {"rope_scaling": None}),
        ("longrope", {"rope_scaling": LONGROPE | {ORIGINAL: 128}}),
        ("partial longrope, own factor", {"partial_rotary_factor": 1.0, "rope_scaling": None}),
    ],
    options=options,
    early={
        "longrope": llama.EARLY
        | {
            ORIGINAL: 64,
            "rope_scaling": {
                "type": "su",
                "short_factor": [1.0, 1.25, 1.5, 4.0],
                "long_factor": [1.0, 2.0, 8.0, 16.0],
            },
            "attention_bias": False,
            "embd_pdrop": 0.0,
            "resid_pdrop": 0.0,
            "sliding_window": None,
        },
        "plain": llama.EARLY | {ORIGINAL: 4096, "sliding_window": None},
    },
)
