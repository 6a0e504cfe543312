"""Mistral."""

from __future__ import annotations

from tests.golden.families import llama
from tests.golden.families.family import Family, rotary

FAMILY = Family(
    config_class="MistralConfig",
    model_class="MistralForCausalLM",
    base=llama.BASE | {"sliding_window": None},
    variants={
        "plain": {},
        "window": {"sliding_window": 5},
        "window 1, head_dim 12": {"sliding_window": 1, "head_dim": 12},
        "tied": {"tie_word_embeddings": True, "sliding_window": 9},
    },
    wrong=[
        ("window", {"sliding_window": None}),
        ("window", {"sliding_window": 4}),
        ("window", {"sliding_window": 6}),
    ],
    options=rotary,
    early={
        "window": llama.EARLY | {"sliding_window": 5, "torch_dtype": "bfloat16"},
    },
)
