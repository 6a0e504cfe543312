"""Llama."""

from __future__ import annotations

from tests.golden.families.family import VOCAB, Family, rotary
from tests.models.configs import SCALINGS

BASE = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10_000.0,
    "tie_word_embeddings": False,
}
# config.json as version 4 of transformers wrote it: rope_theta and rope_scaling are own keys.
EARLY = {
    **{key: value for key, value in BASE.items() if key != "rope_theta"},
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "initializer_range": 0.02,
    "rope_theta": 10000.0,
    "rope_scaling": None,
    "torch_dtype": "float32",
    "transformers_version": "4.44.0",
    "use_cache": True,
}
FAMILY = Family(
    config_class="LlamaConfig",
    model_class="LlamaForCausalLM",
    base=BASE,
    variants={
        "plain": {},
        **{
            f"rope {name}": {"rope_scaling": scaling}
            for name, scaling in SCALINGS.items()
            if name not in ("none", "default", "yarn, mscale")
        },
        "rope theta 500000": {"rope_theta": 5e5},
        "1 key/value head": {"num_key_value_heads": 1},
        "4 key/value heads": {"num_key_value_heads": 4},
        "head_dim 12": {"head_dim": 12},
        "biases": {"attention_bias": True, "mlp_bias": True},
        "tied": {"tie_word_embeddings": True},
        "gelu": {"hidden_act": "gelu"},
    },
    wrong=[
        ("rope linear", {"rope_scaling": None}),
        ("rope llama3", {"rope_scaling": None}),
        ("rope yarn", {"rope_scaling": None}),
        ("rope theta 500000", {"rope_theta": 10_000.0}),
        ("gelu", {"hidden_act": "silu"}),
        ("gelu", {"hidden_act": "gelu_pytorch_tanh"}),
    ],
    options=rotary,
    early={
        "rope linear": EARLY | {"rope_scaling": {"type": "linear", "factor": 2.5}},
        "head_dim 12": EARLY | {"head_dim": 12, "pretraining_tp": 1},
    },
)
