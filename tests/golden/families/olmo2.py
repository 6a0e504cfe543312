"""OLMo 2."""

from __future__ import annotations

from tests.golden.families import llama
from tests.golden.families.family import Family, rotary
from tests.models.configs import SCALINGS

FAMILY = Family(
    config_class="Olmo2Config",
    model_class="Olmo2ForCausalLM",
    base=llama.BASE,
    variants={
        "plain": {},
        "4 key/value heads, biases": {"num_key_value_heads": 4, "attention_bias": True},
        "tied, rope linear": {"tie_word_embeddings": True, "rope_scaling": SCALINGS["linear"]},
    },
    wrong=[
        ("tied, rope linear", {"rope_scaling": None}),
        ("plain", {"rms_norm_eps": 0.1}),
    ],
    options=rotary,
    early={"plain": llama.EARLY | {"attention_bias": False, "attention_dropout": 0.0}},
)
