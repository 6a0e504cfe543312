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
    early={
        "plain": {
            "activation_function": "gelu_new",
            "architectures": ["GPTJForCausalLM"],
            "attn_pdrop": 0.0,
            "gradient_checkpointing": False,
            "layer_norm_epsilon": 1e-5,
            "n_embd": 32,
            "n_head": 2,
            "n_inner": None,
            "n_layer": 2,
            "n_positions": 64,
            "rotary": True,
            "rotary_dim": 8,
            "scale_attn_weights": True,
            "summary_type": "cls_index",
            "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
            "tie_word_embeddings": False,
            "tokenizer_class": "GPT2Tokenizer",
            "transformers_version": "4.18.0.dev0",
            "vocab_size": VOCAB,
        }
    },
)
