"""GPT-2."""

from __future__ import annotations

from tests.golden.families.family import VOCAB, Family

FAMILY = Family(
    config_class="GPT2Config",
    model_class="GPT2LMHeadModel",
    base={"vocab_size": VOCAB, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64},
    variants={
        "plain": {},
        "untied": {"tie_word_embeddings": False},
        "n_inner 40": {"n_inner": 40},
        "relu, epsilon 0.001": {"activation_function": "relu", "layer_norm_epsilon": 1e-3},
        "gelu": {"activation_function": "gelu"},
        "scores by layer": {"scale_attn_by_inverse_layer_idx": True},
        "scores as they are": {"scale_attn_weights": False},
    },
    wrong=[
        ("gelu", {"activation_function": "gelu_new"}),
        ("relu, epsilon 0.001", {"layer_norm_epsilon": 1e-5}),
        ("scores by layer", {"scale_attn_by_inverse_layer_idx": False}),
        ("scores as they are", {"scale_attn_weights": True}),
    ],
)
