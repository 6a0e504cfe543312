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
    early={
        "plain": {
            "architectures": ["GPTNeoXForCausalLM"],
            "attention_probs_dropout_prob": 0,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0,
            "hidden_size": 32,
            "initializer_range": 0.02,
            "intermediate_size": 48,
            "layer_norm_eps": 1e-5,
            "max_position_embeddings": 64,
            "num_attention_heads": 2,
            "num_hidden_layers": 2,
            "rotary_emb_base": 10000,
            "rotary_pct": 0.25,
            "tie_word_embeddings": False,
            "torch_dtype": "float16",
            "transformers_version": "4.19.0.dev0",
            "use_cache": True,
            "vocab_size": VOCAB,
        }
    },
    early_heads={"lm_head.": "embed_out."},
)
