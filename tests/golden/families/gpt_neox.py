"""GPT-NeoX."""

from __future__ import annotations

from tests.golden.families.family import VOCAB, Family, rotary
from tests.models.configs import SCALINGS

FAMILY = Family(
    config_class="GPTNeoXConfig",
    model_class="GPTNeoXForCausalLM",
    base={
        "vocab_size": VOCAB,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 64,
        "rope_theta": 10_000.0,
        "partial_rotary_factor": 0.25,
    },
    variants={
        "plain": {},
        "one after the other": {"use_parallel_residual": False},
        "all rotary, linear": {"partial_rotary_factor": 1.0, "rope_scaling": SCALINGS["linear"]},
        "no attention bias, gelu_fast": {"attention_bias": False, "hidden_act": "gelu_fast"},
        "tied": {"tie_word_embeddings": True},
    },
    wrong=[
        ("plain", {"use_parallel_residual": False}),
        ("plain", {"partial_rotary_factor": 0.5}),
        ("plain", {"hidden_act": "gelu_fast"}),
        ("all rotary, linear", {"rope_scaling": None}),
        ("one after the other", {"use_parallel_residual": True}),
    ],
    options=rotary,
    early_heads={"lm_head.": "embed_out."},
)
