"""StarCoder2."""

from __future__ import annotations

from tests.golden.families.family import VOCAB, Family, rotary
from tests.models.configs import SCALINGS

FAMILY = Family(
    config_class="Starcoder2Config",
    model_class="Starcoder2ForCausalLM",
    base={
        "vocab_size": VOCAB,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 64,
        "rope_theta": 10_000.0,
        "sliding_window": 5,
    },
    variants={
        "plain": {},
        "no window, linear, head_dim 12": {
            "sliding_window": None,
            "rope_scaling": SCALINGS["linear"],
            "head_dim": 12,
        },
        "untied, no biases, gelu": {
            "tie_word_embeddings": False,
            "use_bias": False,
            "hidden_act": "gelu",
            "norm_epsilon": 1e-3,
        },
    },
    wrong=[
        ("plain", {"sliding_window": 6}),
        ("plain", {"sliding_window": None}),
        ("no window, linear, head_dim 12", {"rope_scaling": None}),
        ("untied, no biases, gelu", {"hidden_act": "gelu_pytorch_tanh"}),
        ("untied, no biases, gelu", {"norm_epsilon": 1e-5}),
    ],
    options=rotary,
    early={
        "plain": {
            "activation_function": "gelu",
            "architectures": ["Starcoder2ForCausalLM"],
            "attention_softmax_in_fp32": True,
            "embedding_dropout": 0.1,
            "hidden_act": "gelu_pytorch_tanh",
            "hidden_size": 32,
            "intermediate_size": 48,
            "layer_norm_epsilon": 1e-5,
            "max_position_embeddings": 64,
            "mlp_type": "default",
            "norm_epsilon": 1e-5,
            "norm_type": "layer_norm",
            "num_attention_heads": 4,
            "num_hidden_layers": 2,
            "num_key_value_heads": 2,
            "residual_dropout": 0.1,
            "rope_theta": 10000,
            "scale_attention_softmax_in_fp32": True,
            "scale_attn_weights": True,
            "sliding_window": 5,
            "use_bias": True,
            "vocab_size": VOCAB,
        }
    },
)
