"""Language models."""

from __future__ import annotations

from attnengine.loaders.names.huggingface.family import ROTARY_BUFFERS, TIED_HEAD, Family, Tie

_EMBEDDING = "model.embed_tokens.weight"

_LLAMA = Family(
    prefix="model.",
    defaults={
        "bos_token_id": 1,
        "eos_token_id": 2,
        "num_key_value_heads": None,  # as many as num_attention_heads
        "head_dim": None,  # hidden_size / num_attention_heads
        "hidden_act": "silu",
        "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "rope_scaling": None,
        "attention_bias": False,
        "mlp_bias": False,
        TIED_HEAD: False,
    },
    buffers=ROTARY_BUFFERS,
    neutral={"partial_rotary_factor": 1.0},
    ties=(Tie(_EMBEDDING, "lm_head.weight", (TIED_HEAD,)),),
)
_QWEN2 = Family(
    prefix="model.",
    defaults={
        "num_key_value_heads": None,
        "hidden_act": "silu",
        "max_position_embeddings": 32768,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "rope_scaling": None,
        "use_sliding_window": False,
        "sliding_window": None,
        "max_window_layers": 28,
        "layer_types": None,  # what use_sliding_window and max_window_layers say
        TIED_HEAD: False,
    },
    buffers=ROTARY_BUFFERS,
    neutral={"partial_rotary_factor": 1.0},
    ties=(Tie(_EMBEDDING, "lm_head.weight", (TIED_HEAD,)),),
)
_GPT2 = Family(
    prefix="transformer.",
    defaults={
        "bos_token_id": 50256,
        "eos_token_id": 50256,
        "n_positions": 1024,
        "n_ctx": None,
        "n_inner": None,  # 4 * n_embd
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
        "scale_attn_weights": True,
        "scale_attn_by_inverse_layer_idx": False,
        TIED_HEAD: True,
    },
    buffers=r"\.attn\.(bias|masked_bias)$",  # the causal mask
    neutral={"add_cross_attention": False},
    ties=(Tie("transformer.wte.weight", "lm_head.weight", (TIED_HEAD,)),),
)

DECODERS = {"gpt2": _GPT2, "llama": _LLAMA, "qwen2": _QWEN2}
