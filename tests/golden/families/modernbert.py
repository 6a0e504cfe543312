"""ModernBERT."""

from __future__ import annotations

from typing import Any

from tests.golden.families.family import VOCAB, Config, Family

GLOBAL, LOCAL = "full_attention", "sliding_attention"


def options(config: Config) -> dict[str, Any]:
    """Options of transformers' config class: version 5's rotary bases, small special tokens."""
    given = dict(config)
    bases = {GLOBAL: given.pop("global_rope_theta"), LOCAL: given.pop("local_rope_theta")}
    given["rope_parameters"] = {
        kind: {"rope_type": "default", "rope_theta": base} for kind, base in bases.items()
    }
    tokens = ("pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id")
    return given | dict.fromkeys(tokens, 0)


FAMILY = Family(
    config_class="ModernBertConfig",
    model_class="ModernBertModel",
    kind="encoder",
    base={
        "vocab_size": VOCAB,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "max_position_embeddings": 64,
        "layer_types": [GLOBAL, LOCAL, LOCAL],
        "local_attention": 8,
        "global_rope_theta": 160_000.0,
        "local_rope_theta": 10_000.0,
    },
    variants={
        "plain": {},
        "biases": {"norm_bias": True, "attention_bias": True, "mlp_bias": True},
        "local first, silu": {"layer_types": [LOCAL, GLOBAL, LOCAL], "hidden_activation": "silu"},
    },
    wrong=[
        ("plain", {"local_attention": 10}),
        ("plain", {"global_rope_theta": 10_000.0}),
        ("plain", {"layer_types": [GLOBAL, GLOBAL, LOCAL]}),
        ("local first, silu", {"hidden_activation": "gelu"}),
    ],
    options=options,
    prefix="model.",
)
