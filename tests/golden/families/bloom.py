"""BLOOM."""

from __future__ import annotations

from tests.golden.families.family import VOCAB, Family

FAMILY = Family(
    config_class="BloomConfig",
    model_class="BloomForCausalLM",
    base={"vocab_size": VOCAB, "hidden_size": 32, "n_layer": 2, "n_head": 4},
    variants={
        "plain": {},
        "3 heads, untied": {"hidden_size": 24, "n_head": 3, "tie_word_embeddings": False},
        "epsilon 0.001": {"layer_norm_epsilon": 1e-3},
    },
    wrong=[
        ("plain", {"n_head": 2}),
        ("epsilon 0.001", {"layer_norm_epsilon": 1e-5}),
    ],
)
