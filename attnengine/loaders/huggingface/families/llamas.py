"""Language models like Llama."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from attnengine.loaders.huggingface.families.family import ROTARY_BUFFERS, TIED_HEAD, Family, Tie

_EMBEDDING = "model.embed_tokens.weight"


def _llama(
    defaults: Mapping[str, Any], neutral: Mapping[str, Any] | None = None, **more: Any
) -> Family:
    """Return a family with the parts that these families share."""
    common = {
        "num_key_value_heads": None,  # equals num_attention_heads
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "rope_scaling": None,
        TIED_HEAD: False,
    }
    taken = {"partial_rotary_factor": 1.0, **(neutral or {})}
    return Family(
        prefix="model.",
        defaults={**common, **defaults},
        buffers=ROTARY_BUFFERS,
        neutral={key: value for key, value in taken.items() if key not in defaults},
        ties=(Tie(_EMBEDDING, "lm_head.weight", (TIED_HEAD,)),),
        **more,
    )


_LLAMA = {
    "bos_token_id": 1,
    "eos_token_id": 2,
    "head_dim": None,  # hidden_size / num_attention_heads
    "max_position_embeddings": 2048,
    "attention_bias": False,
    "mlp_bias": False,
}
_QWEN = {
    "num_key_value_heads": 32,
    "max_position_embeddings": 32768,
    "use_sliding_window": False,
    "sliding_window": 4096,
    "max_window_layers": 28,
    "layer_types": None,  # given by use_sliding_window, max_window_layers
}

_GEMMA = {
    "bos_token_id": 2,
    "eos_token_id": 1,
    "pad_token_id": 0,
    "head_dim": 256,
    "hidden_act": "gelu_pytorch_tanh",
    "max_position_embeddings": 8192,
    "attention_bias": False,
    TIED_HEAD: True,
}
_GEMMA2 = {
    **_GEMMA,
    "num_key_value_heads": 4,
    "query_pre_attn_scalar": 256,
    "sliding_window": 4096,
    "layer_types": None,  # every second layer has full attention
    "attn_logit_softcapping": 50.0,
    "final_logit_softcapping": 30.0,
}
# Keys that transformers does not read.
_NOT_GEMMA2 = frozenset({"hidden_act", "sliding_window_size", "_sliding_window_pattern"})
_CAUSAL = {"use_bidirectional_attention": False}

_GEMMA3_TEXT = _llama(
    {
        **_GEMMA2,
        "vocab_size": 262208,
        "num_attention_heads": 8,
        "max_position_embeddings": 131072,
        "rope_theta": 1000000.0,
        "rope_local_base_freq": 10000.0,
        "sliding_window_pattern": 6,  # the last of six layers has full attention
        "attn_logit_softcapping": None,
        "final_logit_softcapping": None,
    },
    neutral=_CAUSAL,
    unused=_NOT_GEMMA2,
    spellings={"hidden_activation": "hidden_act"},
)
_GEMMA3 = replace(  # models for images: the language model alone
    _GEMMA3_TEXT,
    architecture="gemma3_text",
    part="text_config",
    unused=_NOT_GEMMA2 | {"final_logit_softcapping"},
    buffers=rf"{ROTARY_BUFFERS}|(^|\.)(vision_tower|multi_modal_projector)\.",
    renames=(
        (r"^model\.language_model\.(model\.)?", "model."),
        (r"^model\.lm_head\.", "lm_head."),
    ),
)


LLAMAS = {
    "llama": _llama(_LLAMA),
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
    "gemma": _llama(
        {**_GEMMA, "num_key_value_heads": 16},
        neutral=_CAUSAL,
        unused=frozenset({"hidden_activation"}),
    ),
    "gemma2": _llama(
        _GEMMA2,
        neutral=_CAUSAL,
        unused=_NOT_GEMMA2,
        spellings={"hidden_activation": "hidden_act"},
    ),
    "gemma3": _GEMMA3,
    "gemma3_text": _GEMMA3_TEXT,
    "glm": _llama(
        {
            "pad_token_id": 151329,
            "eos_token_id": [151329, 151336, 151338],
            "num_key_value_heads": 2,
            "head_dim": 128,
            "max_position_embeddings": 131072,
            "rms_norm_eps": 0.00000015625,
            "partial_rotary_factor": 0.5,
            "attention_bias": True,
        }
    ),
    "granite": _llama(
        {
            **_LLAMA,
            "embedding_multiplier": 1.0,
            "attention_multiplier": 1.0,
            "residual_multiplier": 1.0,
            "logits_scaling": 1.0,
        }
    ),
    "mixtral": _llama(
        {
            "bos_token_id": 1,
            "eos_token_id": 2,
            "num_key_value_heads": 8,
            "head_dim": None,
            "max_position_embeddings": 131072,
            "rms_norm_eps": 1e-5,
            "rope_theta": 1000000.0,
            "sliding_window": None,
            "num_local_experts": 8,
            "num_experts_per_tok": 2,
        },
        unused=("output_router_logits", "router_aux_loss_coef", "router_jitter_noise"),
    ),
    "olmo2": _llama(
        {
            "pad_token_id": 1,
            "eos_token_id": 50279,
            "max_position_embeddings": 2048,
            "rms_norm_eps": 1e-5,
            "attention_bias": False,
        }
    ),
    "phi3": _llama(
        {
            "bos_token_id": 1,
            "eos_token_id": 32000,
            "pad_token_id": 32000,
            "max_position_embeddings": 4096,
            "rms_norm_eps": 1e-5,
            "partial_rotary_factor": 1.0,
            "sliding_window": None,
        },
        neutral=dict.fromkeys(("attention_bias", "lm_head_bias", "mlp_bias"), False),
    ),
    "qwen2": _llama(_QWEN),
    "qwen3": _llama({**_QWEN, "head_dim": 128, "attention_bias": False}),
    "smollm3": _llama(
        {
            **_LLAMA,
            "bos_token_id": 128000,
            "eos_token_id": 128001,
            "pad_token_id": 128004,
            "num_key_value_heads": 4,
            "max_position_embeddings": 32768,
            "rope_theta": 2000000.0,
            "no_rope_layers": None,  # given by the next key
            "no_rope_layer_interval": 4,
            "use_sliding_window": False,
            "sliding_window": None,
            "layer_types": None,  # windows in layers without positions
            TIED_HEAD: True,
        },
        unused=frozenset({"max_window_layers"}),
    ),
}
