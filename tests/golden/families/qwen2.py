"""Qwen2."""

from __future__ import annotations

from tests.golden.families import llama
from tests.golden.families.family import Family, rotary
from tests.models.configs import SCALINGS

FAMILY = Family(
    config_class="Qwen2Config",
    model_class="Qwen2ForCausalLM",
    base=llama.BASE | {"rope_theta": 1e6},
    variants={
        "plain": {},
        "tied": {"tie_word_embeddings": True},
        "rope yarn": {"rope_scaling": SCALINGS["yarn"]},
        "1 key/value head": {"num_key_value_heads": 1},
    },
    options=rotary,
)
