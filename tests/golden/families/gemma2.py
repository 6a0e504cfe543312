"""Gemma 2."""

from __future__ import annotations

from typing import Any

from tests.golden.families import gemma
from tests.golden.families.family import Config, Family, rotary


def options(config: Config) -> dict[str, Any]:
    """Options of transformers' config class, with its name of the activation."""
    options = rotary(config)
    return options | {"hidden_activation": options.pop("hidden_act")}


BASE = gemma.BASE | {
    "query_pre_attn_scalar": 24,
    "sliding_window": 5,
    "attn_logit_softcapping": 3.0,
    "final_logit_softcapping": 10.0,
}
EARLY = gemma.EARLY | {
    "hidden_act": "gelu_pytorch_tanh",
    "hidden_activation": "gelu_pytorch_tanh",
    "query_pre_attn_scalar": 24,
    "sliding_window": 5,
}
FAMILY = Family(
    config_class="Gemma2Config",
    model_class="Gemma2ForCausalLM",
    base=BASE,
    variants={
        "plain": {},
        "no caps, gelu": {
            "attn_logit_softcapping": None,
            "final_logit_softcapping": None,
            "hidden_act": "gelu",
        },
        "windows by layer, untied": {
            "layer_types": ["full_attention", "sliding_attention"],
            "tie_word_embeddings": False,
            "attention_bias": True,
        },
    },
    wrong=[
        ("plain", {"attn_logit_softcapping": None}),
        ("plain", {"final_logit_softcapping": None}),
        ("plain", {"query_pre_attn_scalar": 12}),
        ("plain", {"layer_types": ["full_attention", "sliding_attention"]}),
        ("plain", {"sliding_window": 6}),
        ("no caps, gelu", {"hidden_act": "gelu_pytorch_tanh"}),
    ],
    options=options,
    early={
        "plain": EARLY
        | {
            "attn_logit_softcapping": 3.0,
            "final_logit_softcapping": 10.0,
            "cache_implementation": "hybrid",
            "sliding_window_size": 5,
        }
    },
)
