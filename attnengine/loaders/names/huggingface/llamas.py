"""Language models of Llama's kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attnengine.loaders.names.huggingface.family import ROTARY_BUFFERS, TIED_HEAD, Family, Tie

_EMBEDDING = "model.embed_tokens.weight"


def _llama(
    defaults: Mapping[str, Any], neutral: Mapping[str, Any] | None = None, **more: Any
) -> Family:
    """Fill in what these families have in common."""
    common = {
        "num_key_value_heads": None,  # as many as num_attention_heads
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "rope_scaling": None,
        TIED_HEAD: False,
    }
    return Family(
        prefix="model.",
        defaults={**common, **defaults},
        buffers=ROTARY_BUFFERS,
        neutral={"partial_rotary_factor": 1.0, **(neutral or {})},
        ties=(Tie(_EMBEDDING, "lm_head.weight", (TIED_HEAD,)),),
        **more,
    )


_QWEN = {
    "max_position_embeddings": 32768,
    "use_sliding_window": False,
    "sliding_window": 4096,
    "max_window_layers": 28,
    "layer_types": None,  # what use_sliding_window and max_window_layers say
}

LLAMAS = {
    "llama": _llama(
        {
            "bos_token_id": 1,
            "eos_token_id": 2,
            "head_dim": None,  # hidden_size / num_attention_heads
            "max_position_embeddings": 2048,
            "attention_bias": False,
            "mlp_bias": False,
        }
    ),
    "mistral": _llama(
        {
            "bos_token_id": 1,
            "eos_token_id": 2,
            "num_key_value_heads": 8,
            "head_dim": None,
            "max_position_embeddings": 131072,
            "sliding_window": 4096,
        }
    ),
    "qwen2": _llama(_QWEN),
    "qwen3": _llama({**_QWEN, "head_dim": 128, "attention_bias": False}),
}
