"""Language models that came after GPT-2 and before or beside Llama."""

from __future__ import annotations

from typing import Any

from attnengine.loaders.names.huggingface.family import (
    NO_BUFFERS,
    ROTARY_BUFFERS,
    TIED_HEAD,
    Family,
    Tie,
)


def _tied_to(embedding: str) -> tuple[Tie, ...]:
    return (Tie(embedding, "lm_head.weight", (TIED_HEAD,)),)


_ROTARY: dict[str, Any] = {"rope_theta": 10000.0, "rope_scaling": None}

_GPT_NEOX = Family(
    prefix="gpt_neox.",
    defaults={
        "bos_token_id": 0,
        "eos_token_id": 2,
        "max_position_embeddings": 2048,
        "layer_norm_eps": 1e-5,
        "hidden_act": "gelu",
        **_ROTARY,
        "partial_rotary_factor": 0.25,
        "use_parallel_residual": True,
        "attention_bias": True,
        TIED_HEAD: False,
    },
    buffers=r"\.attention\.(bias|masked_bias)$|\.rotary_emb\.",
    ties=_tied_to("gpt_neox.embed_in.weight"),
    spellings={"rotary_pct": "partial_rotary_factor", "rotary_emb_base": "rope_theta"},
    early_heads={"embed_out.": "lm_head."},
)

_GPTJ = Family(
    prefix="transformer.",
    defaults={
        "bos_token_id": 50256,
        "eos_token_id": 50256,
        "n_positions": 2048,
        "rotary_dim": 64,
        "n_inner": None,  # 4 * n_embd
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
        TIED_HEAD: False,
    },
    buffers=r"\.attn\.(bias|masked_bias|embed_positions)$",
    neutral={"rotary": True, "scale_attn_weights": True},
    ties=_tied_to("transformer.wte.weight"),
)
_OPT = Family(
    prefix="model.",
    defaults={
        "bos_token_id": 2,
        "eos_token_id": 2,
        "pad_token_id": 1,
        "max_position_embeddings": 2048,
        "word_embed_proj_dim": None,  # hidden_size
        "do_layer_norm_before": True,
        "enable_bias": True,
        "layer_norm_elementwise_affine": True,
        "activation_function": "relu",
        TIED_HEAD: True,
    },
    buffers=NO_BUFFERS,
    neutral={"_remove_final_layer_norm": False},
    ties=_tied_to("model.decoder.embed_tokens.weight"),
)
_PHI = Family(
    prefix="model.",
    defaults={
        "bos_token_id": 1,
        "eos_token_id": 2,
        "num_key_value_heads": None,  # as many as num_attention_heads
        "max_position_embeddings": 2048,
        "layer_norm_eps": 1e-5,
        "hidden_act": "gelu_new",
        **_ROTARY,
        "partial_rotary_factor": 0.5,
        "qk_layernorm": False,
        TIED_HEAD: False,
    },
    buffers=ROTARY_BUFFERS,
    ties=_tied_to("model.embed_tokens.weight"),
)
_STARCODER2 = Family(
    prefix="model.",
    defaults={
        "bos_token_id": 50256,
        "eos_token_id": 50256,
        "num_key_value_heads": 2,
        "head_dim": None,  # hidden_size / num_attention_heads
        "max_position_embeddings": 4096,
        "norm_epsilon": 1e-5,
        "hidden_act": "gelu_pytorch_tanh",
        **_ROTARY,
        "sliding_window": None,
        "use_bias": True,
        TIED_HEAD: True,
    },
    buffers=ROTARY_BUFFERS,
    neutral={
        "mlp_type": "default",
        "norm_type": "layer_norm",
        "partial_rotary_factor": 1.0,
        "scale_attn_weights": True,
    },
    ignored=frozenset(
        # hidden_act and norm_epsilon are what counts; the rest is about float16
        {"activation_function", "attention_softmax_in_fp32", "layer_norm_epsilon"}
        | {"scale_attention_softmax_in_fp32"}
    ),
    ties=_tied_to("model.embed_tokens.weight"),
)

GPTS = {
    "gpt_neox": _GPT_NEOX,
    "gptj": _GPTJ,
    "opt": _OPT,
    "phi": _PHI,
    "starcoder2": _STARCODER2,
}
