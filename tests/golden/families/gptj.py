"""GPT-J."""

from __future__ import annotations

from tests.golden.families.family import VOCAB, Family

FAMILY = Family(
    config_class="GPTJConfig",
    model_class="GPTJForCausalLM",
    base={
        "vocab_size": VOCAB,
        "n_embd": 32,
        "n_layer": 2,
        "n_head": 2,
        "n_positions": 64,
        "rotary_dim": 8,
    },
    variants={
        "plain": {},
        "all rotary, n_inner 40": {"rotary_dim": 16, "n_inner": 40},
        "tied, relu": {"tie_word_embeddings": True, "activation_function": "relu"},
    },
    wrong=[
        ("plain", {"rotary_dim": 16}),
        ("plain", {"activation_function": "gelu"}),
    ],
)
