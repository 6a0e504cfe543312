"""Granite."""

from __future__ import annotations

from tests.golden.families import llama
from tests.golden.families.family import Family, rotary

MULTIPLIERS = {
    "embedding_multiplier": 3,
    "attention_multiplier": 0.2,
    "residual_multiplier": 0.6,
    "logits_scaling": 0.5,
}
FAMILY = Family(
    config_class="GraniteConfig",
    model_class="GraniteForCausalLM",
    base=llama.BASE | MULTIPLIERS,
    variants={
        "plain": {},
        "tied": {"tie_word_embeddings": True},
        "biases": {"attention_bias": True, "mlp_bias": True},
    },
    wrong=[("biases", {key: 1.0}) for key in MULTIPLIERS],
    options=rotary,
    early={
        "biases": llama.EARLY | MULTIPLIERS | {"attention_bias": True, "mlp_bias": True},
    },
)
