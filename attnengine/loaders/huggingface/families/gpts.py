"""Language models between GPT-2 and Llama."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from attnengine.loaders.huggingface.families.family import (
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
    renames=((r"^gpt_neox\.embed_out\.", "lm_head."),),
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
        "num_key_value_heads": None,  # equals num_attention_heads
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
    unused=(
        # hidden_act and norm_epsilon replace the first and last key; the others concern float16
        *("activation_function", "attention_softmax_in_fp32", "layer_norm_epsilon"),
        "scale_attention_softmax_in_fp32",
    ),
    ties=_tied_to("model.embed_tokens.weight"),
)

_STABLELM = Family(
    prefix="model.",
    defaults={
        "bos_token_id": 0,
        "eos_token_id": 0,
        "num_key_value_heads": 32,
        "max_position_embeddings": 4096,
        "layer_norm_eps": 1e-5,
        "hidden_act": "silu",
        **_ROTARY,
        "partial_rotary_factor": 0.25,
        "use_qkv_bias": False,
        "qk_layernorm": False,
        "use_parallel_residual": False,
        TIED_HEAD: False,
    },
    buffers=ROTARY_BUFFERS,
    ties=_tied_to("model.embed_tokens.weight"),
)
_OLMO = Family(
    prefix="model.",
    defaults={
        "pad_token_id": 1,
        "eos_token_id": 50279,
        "num_key_value_heads": None,  # equals num_attention_heads
        "max_position_embeddings": 2048,
        "hidden_act": "silu",
        **_ROTARY,
        "attention_bias": False,
        "clip_qkv": None,
        TIED_HEAD: False,
    },
    buffers=ROTARY_BUFFERS,
    neutral={"partial_rotary_factor": 1.0},
    ties=_tied_to("model.embed_tokens.weight"),
)
_BLOOM = Family(
    prefix="transformer.",
    defaults={
        "bos_token_id": 1,
        "eos_token_id": 2,
        "layer_norm_epsilon": 1e-5,
        TIED_HEAD: True,
    },
    buffers=NO_BUFFERS,
    neutral={"apply_residual_connection_post_layernorm": False, "n_inner": None},
    unused=(
        # Keys for training or for the order of sums; offset_alibi and seq_length have no effect.
        *("attention_softmax_in_fp32", "bias_dropout_fusion", "masked_softmax_fusion"),
        *("offset_alibi", "seq_length", "skip_bias_add", "skip_bias_add_qkv", "slow_but_exact"),
    ),
    ties=_tied_to("transformer.word_embeddings.weight"),
    spellings={
        "n_embed": "hidden_size",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    },
)
_FALCON = Family(
    prefix="transformer.",
    defaults={
        "bos_token_id": 11,
        "eos_token_id": 11,
        "max_position_embeddings": 2048,
        "num_kv_heads": None,  # equals num_attention_heads
        "num_ln_in_parallel_attn": None,  # 2 in the new architecture
        "ffn_hidden_size": None,  # 4 * hidden_size
        "layer_norm_epsilon": 1e-5,
        "activation": "gelu",
        "alibi": False,
        "new_decoder_architecture": False,
        "multi_query": True,
        "parallel_attn": True,
        "bias": False,
        **_ROTARY,
        TIED_HEAD: True,
    },
    buffers=ROTARY_BUFFERS,
    neutral={"apply_residual_connection_post_layernorm": False, "partial_rotary_factor": 1.0},
    ties=_tied_to("transformer.word_embeddings.weight"),
    spellings={"n_embed": "hidden_size"},
)
_MPT = Family(
    prefix="transformer.",
    defaults={
        "max_seq_len": 2048,
        "expansion_ratio": 4,
        "alibi_bias_max": 8,
        "clip_qkv": None,
        "softmax_scale": None,  # 1 / sqrt(size of a head)
        "layer_norm_epsilon": 1e-5,
        TIED_HEAD: True,
    },
    buffers=NO_BUFFERS,
    neutral={
        "alibi": True,
        "attn_type": "multihead_attention",
        "logit_scale": None,
        "no_bias": True,
        "prefix_lm": False,
        "qk_ln": False,
    },
    unused=(
        # transformers ignores these keys: it has ALiBi, no learned positions and one kind of norm
        *("attn_impl", "attn_uses_sequence_id", "emb_pdrop", "embedding_fraction", "init_config"),
        *("init_device", "learned_pos_emb", "norm_type", "tokenizer_name", "verbose"),
    ),
    inner="attn_config",
    ties=_tied_to("transformer.wte.weight"),
)
_COHERE = Family(
    prefix="model.",
    defaults={
        "bos_token_id": 5,
        "eos_token_id": 255001,
        "pad_token_id": 0,
        "num_key_value_heads": None,  # equals num_attention_heads
        "head_dim": None,  # hidden_size / num_attention_heads
        "max_position_embeddings": 8192,
        "layer_norm_eps": 1e-5,
        "hidden_act": "silu",
        "logit_scale": 0.0625,
        "rope_theta": 500000.0,
        "rope_scaling": None,
        "attention_bias": False,
        "use_qk_norm": False,
        TIED_HEAD: True,
    },
    buffers=ROTARY_BUFFERS,
    neutral={"partial_rotary_factor": 1.0},
    unused=("model_max_length",),
    ties=_tied_to("model.embed_tokens.weight"),
)
_COHERE2 = replace(
    _COHERE,
    defaults={
        **_COHERE.defaults,
        **_ROTARY,
        "sliding_window": 4096,
        "sliding_window_pattern": 4,
        "layer_types": None,  # given by sliding_window_pattern
    },
    neutral={
        "order_of_interleaved_layers": "local_attn_first",
        "partial_rotary_factor": 1.0,
        "position_embedding_type": "rope_gptj",
        "rotary_pct": 1.0,
        "use_embedding_sharing": True,
        "use_gated_activation": True,
        "use_parallel_block": True,
        "use_parallel_embedding": True,
    },
    unused=("layer_switch", "model_max_length"),
)

GPTS = {
    "bloom": _BLOOM,
    "cohere": _COHERE,
    "cohere2": _COHERE2,
    "falcon": _FALCON,
    "gpt_neox": _GPT_NEOX,
    "gptj": _GPTJ,
    "mpt": _MPT,
    "olmo": _OLMO,
    "opt": _OPT,
    "phi": _PHI,
    "stablelm": _STABLELM,
    "starcoder2": _STARCODER2,
}
