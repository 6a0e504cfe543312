"""Mixtral."""

from __future__ import annotations

from typing import Any

from tests.golden.families import llama
from tests.golden.families.family import Config, Family, rotary


def options(config: Config) -> dict[str, Any]:
    """Options of transformers' config class: experts as plain operations, which allow float64."""
    return rotary(config) | {"experts_implementation": "eager"}


FAMILY = Family(
    config_class="MixtralConfig",
    model_class="MixtralForCausalLM",
    base=llama.BASE
    | {
        "intermediate_size": 24,
        "sliding_window": None,
        "num_local_experts": 4,
        "num_experts_per_tok": 2,
    },
    variants={
        "plain": {},
        "1 of 3 experts, gelu": {
            "num_local_experts": 3,
            "num_experts_per_tok": 1,
            "hidden_act": "gelu",
        },
        "window, tied": {"sliding_window": 5, "tie_word_embeddings": True},
    },
    wrong=[
        ("plain", {"num_experts_per_tok": 3}),
        ("plain", {"num_experts_per_tok": 1}),
        ("window, tied", {"sliding_window": None}),
    ],
    options=options,
    early={
        "window, tied": llama.EARLY
        | {
            "intermediate_size": 24,
            "num_experts_per_tok": 2,
            "num_local_experts": 4,
            "output_router_logits": False,
            "router_aux_loss_coef": 0.02,
            "sliding_window": 5,
            "tie_word_embeddings": True,
        }
    },
)
