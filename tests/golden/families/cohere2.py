"""Cohere's Command R7B."""

from __future__ import annotations

from tests.golden.families import cohere
from tests.golden.families.family import Family, rotary

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
)
