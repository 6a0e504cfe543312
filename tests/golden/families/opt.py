"""OPT."""

from __future__ import annotations

from tests.golden.families.family import VOCAB, Family

FAMILY = Family(
    config_class="OPTConfig",
    model_class="OPTForCausalLM",
    base={
        "vocab_size": VOCAB,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "ffn_dim": 48,
        "max_position_embeddings": 64,
    },
    variants={
        "plain": {},
        "350m: after, projected": {"do_layer_norm_before": False, "word_embed_proj_dim": 16},
        "untied, projected": {"tie_word_embeddings": False, "word_embed_proj_dim": 16},
        "Galactica: no biases, gelu": {
            "enable_bias": False,
            "layer_norm_elementwise_affine": False,
            "activation_function": "gelu",
        },
    },
    wrong=[("Galactica: no biases, gelu", {"activation_function": "relu"})],
    early={
        "350m: after, projected": {
            "_remove_final_layer_norm": False,
            "activation_dropout": 0.0,
            "activation_function": "relu",
            "architectures": ["OPTForCausalLM"],
            "do_layer_norm_before": False,
            "dropout": 0.1,
            "ffn_dim": 48,
            "hidden_size": 32,
            "init_std": 0.02,
            "layerdrop": 0.0,
            "max_position_embeddings": 64,
            "num_attention_heads": 4,
            "num_hidden_layers": 2,
            "prefix": "</s>",
            "transformers_version": "4.20.0.dev0",
            "vocab_size": VOCAB,
            "word_embed_proj_dim": 16,
        }
    },
)
