"""Gemma."""

from __future__ import annotations

from tests.golden.families import llama
from tests.golden.families.family import Family, rotary
from tests.models.configs import SCALINGS

BASE = llama.BASE | {
    "head_dim": 12,
    "hidden_act": "gelu_pytorch_tanh",
    "tie_word_embeddings": True,
}
# config.json of Gemma 1 and Gemma 2
EARLY = {**llama.EARLY, "attention_bias": False, "head_dim": 12, "tie_word_embeddings": True}

FAMILY = Family(
    config_class="GemmaConfig",
    model_class="GemmaForCausalLM",
    base=BASE,
    variants={
        "plain": {},
        "untied, biases": {"tie_word_embeddings": False, "attention_bias": True},
        "rope linear, silu": {"rope_scaling": SCALINGS["linear"], "hidden_act": "silu"},
    },
    wrong=[
        ("rope linear, silu", {"hidden_act": "gelu"}),
        ("rope linear, silu", {"head_dim": 8, "num_attention_heads": 6, "num_key_value_heads": 3}),
    ],
    options=rotary,
    early={"plain": EARLY | {"hidden_act": "gelu", "hidden_activation": None}},
)
