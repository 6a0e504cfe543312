"""GLM."""

from __future__ import annotations

from tests.golden.families import llama
from tests.golden.families.family import Family, rotary
from tests.models.configs import SCALINGS

GLM = {
    "head_dim": 8,
    "partial_rotary_factor": 0.5,
    "attention_bias": True,
    "pad_token_id": 0,  # transformers' default exceeds this vocabulary
}

FAMILY = Family(
    config_class="GlmConfig",
    model_class="GlmForCausalLM",
    base=llama.BASE | GLM,
    variants={
        "plain": {},
        "whole heads turned, no biases": {"partial_rotary_factor": 1.0, "attention_bias": False},
        "tied, rope linear, head_dim 16": {
            "tie_word_embeddings": True,
            "rope_scaling": SCALINGS["linear"],
            "head_dim": 16,
        },
    },
    wrong=[
        ("plain", {"partial_rotary_factor": 1.0}),
        ("whole heads turned, no biases", {"partial_rotary_factor": 0.5}),
        ("tied, rope linear, head_dim 16", {"rope_scaling": None}),
    ],
    options=rotary,
    early={"plain": llama.EARLY | GLM | {"attention_dropout": 0.0}},
)
