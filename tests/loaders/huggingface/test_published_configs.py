"""Configs of published models: the loader knows every key and finds all that the model needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnengine import loaders
from attnengine.errors import FormatError
from attnengine.models import build
from tests.loaders.huggingface.huggingface_files import write_json, write_safetensors

SHARED: dict[str, Any] = {
    "attention_dropout": 0.0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "hidden_size": 4096,
    "initializer_range": 0.02,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.40.2",
    "use_cache": True,
    "vocab_size": 32000,
}
GEMMA: dict[str, Any] = SHARED | {
    "attention_bias": False,
    "bos_token_id": 2,
    "eos_token_id": [1, 107],
    "head_dim": 256,
    "hidden_act": "gelu_pytorch_tanh",
    "hidden_activation": "gelu_pytorch_tanh",
    "max_position_embeddings": 8192,
    "pad_token_id": 0,
    "rms_norm_eps": 1e-6,
    "vocab_size": 256000,
}
QWEN: dict[str, Any] = SHARED | {
    "bos_token_id": 151643,
    "eos_token_id": 151645,
    "max_position_embeddings": 40960,
    "max_window_layers": 28,
    "rope_theta": 1000000,
    "tie_word_embeddings": True,
    "use_sliding_window": False,
    "vocab_size": 151936,
}
PHI3: dict[str, Any] = SHARED | {
    "attention_bias": False,
    "auto_map": {"AutoConfig": "configuration_phi3.Phi3Config"},
    "embd_pdrop": 0.0,
    "eos_token_id": 32000,
    "hidden_size": 3072,
    "num_key_value_heads": 32,
    "original_max_position_embeddings": 4096,
    "pad_token_id": 32000,
    "resid_pdrop": 0.0,
    "tie_word_embeddings": False,
    "vocab_size": 32064,
}
# model -> model_type, the other keys of config.json
PUBLISHED: dict[str, tuple[str, dict[str, Any]]] = {
    "Mistral 7B": (
        "mistral",
        SHARED
        | {
            "max_position_embeddings": 32768,
            "sliding_window": 4096,
            "tie_word_embeddings": False,
        },
    ),
    "Qwen2.5 7B": ("qwen2", QWEN | {"sliding_window": 131072}),
    "Qwen3 4B": (
        "qwen3",
        QWEN
        | {
            "attention_bias": False,
            "head_dim": 128,
            "rope_scaling": None,
            "sliding_window": None,
        },
    ),
    "Gemma 7B": ("gemma", GEMMA | {"hidden_act": "gelu"}),
    "Gemma 2 9B": (
        "gemma2",
        GEMMA
        | {
            "attn_logit_softcapping": 50.0,
            "cache_implementation": "hybrid",
            "final_logit_softcapping": 30.0,
            "query_pre_attn_scalar": 256,
            "sliding_window": 4096,
            "sliding_window_size": 4096,
        },
    ),
    "Gemma 3 4B": (
        "gemma3",
        {
            "architectures": ["Gemma3ForConditionalGeneration"],
            "boi_token_index": 255999,
            "eoi_token_index": 256000,
            "eos_token_id": [1, 106],
            "image_token_index": 262144,
            "initializer_range": 0.02,
            "mm_tokens_per_image": 256,
            "text_config": {
                "hidden_size": 2560,
                "intermediate_size": 10240,
                "model_type": "gemma3_text",
                "num_hidden_layers": 34,
                "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
                "sliding_window": 1024,
            },
            "torch_dtype": "bfloat16",
            "vision_config": {"hidden_size": 1152, "model_type": "siglip_vision_model"},
        },
    ),
    "Phi-3 mini 4k": (
        "phi3",
        PHI3 | {"max_position_embeddings": 4096, "rope_scaling": None, "sliding_window": 2047},
    ),
    "Phi-3 mini 128k": (
        "phi3",
        PHI3
        | {
            "max_position_embeddings": 131072,
            "rope_scaling": {
                "long_factor": [1.0 + i for i in range(48)],
                "short_factor": [1.0 + i / 48 for i in range(48)],
                "type": "longrope",
            },
            "sliding_window": 262144,
        },
    ),
    "Granite 3 8B": (
        "granite",
        SHARED
        | {
            "attention_bias": False,
            "attention_multiplier": 0.0078125,
            "embedding_multiplier": 12.0,
            "logits_scaling": 16.0,
            "max_position_embeddings": 4096,
            "mlp_bias": False,
            "residual_multiplier": 0.22,
            "rope_scaling": None,
            "tie_word_embeddings": True,
        },
    ),
    "GLM-4 9B Chat": (
        "glm",
        SHARED
        | {
            "attention_bias": True,
            "eos_token_id": [151329, 151336, 151338],
            "head_dim": 128,
            "max_position_embeddings": 131072,
            "num_key_value_heads": 2,
            "pad_token_id": 151329,
            "partial_rotary_factor": 0.5,
            "rms_norm_eps": 1.5625e-07,
            "tie_word_embeddings": False,
            "vocab_size": 151552,
        },
    ),
    "OLMo 7B": (
        "olmo",
        {key: value for key, value in SHARED.items() if key != "rms_norm_eps"}
        | {
            "attention_bias": False,
            "clip_qkv": None,
            "max_position_embeddings": 2048,
            "pad_token_id": 1,
            "pretraining_tp": 1,
            "rope_scaling": None,
            "tie_word_embeddings": False,
        },
    ),
    "OLMo 2 7B": (
        "olmo2",
        SHARED
        | {
            "attention_bias": False,
            "max_position_embeddings": 4096,
            "rope_scaling": None,
            "tie_word_embeddings": False,
        },
    ),
    "SmolLM3 3B": (
        "smollm3",
        SHARED
        | {
            "attention_bias": False,
            "bos_token_id": None,
            "layer_types": ["full_attention"] * 32,
            "max_position_embeddings": 65536,
            "max_window_layers": 28,
            "mlp_bias": False,
            "no_rope_layer_interval": 4,
            "no_rope_layers": [1, 1, 1, 0] * 8,
            "pad_token_id": 20,
            "pretraining_tp": 2,
            "rope_scaling": None,
            "sliding_window": None,
            "tie_word_embeddings": True,
            "use_sliding_window": False,
        },
    ),
    "Mixtral 8x7B": (
        "mixtral",
        SHARED
        | {
            "max_position_embeddings": 32768,
            "num_experts_per_tok": 2,
            "num_local_experts": 8,
            "output_router_logits": False,
            "rope_theta": 1000000.0,
            "router_aux_loss_coef": 0.02,
            "sliding_window": None,
            "tie_word_embeddings": False,
        },
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_key_is_known(tmp_path: Path, name: str) -> None:
    model_type, config = PUBLISHED[name]
    write_json(tmp_path / "config.json", {"model_type": model_type, **config})
    write_safetensors(tmp_path / "model.safetensors", {"norm.weight": np.ones(1, np.float32)})
    checkpoint = loaders.load(tmp_path)
    with pytest.raises(FormatError, match=r"weight 'model\.embed_tokens\.weight' is missing"):
        build(checkpoint.config, checkpoint.tensors)
