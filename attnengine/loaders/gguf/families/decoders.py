"""Decoder-only architectures."""

from __future__ import annotations

from attnengine.loaders.gguf.families.family import Family, block, module
from attnengine.loaders.shared.renaming import Table

_SIZES = {
    "block_count": "num_hidden_layers",
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "rope.freq_base": "rope_theta",
}
_HEADS = _SIZES | {"attention.key_length": "head_dim"}
_CAPS = {
    "attn_logit_softcapping": "attn_logit_softcapping",
    "final_logit_softcapping": "final_logit_softcapping",
}
_WINDOW = {"attention.sliding_window": "sliding_window"}
_ROTARY = {"rope_theta": 10000.0}  # default of files without one


def _layer(name: str, canonical: str) -> tuple[str, tuple[str, ...]]:
    return block(name, rf"model.layers.\1.{canonical}")


_ENDS: Table = (
    module("token_embd", "model.embed_tokens"),
    module("output_norm", "model.norm"),
    module("output", "lm_head"),
)
_ATTENTION: Table = (
    _layer("attn_norm", "input_layernorm"),
    _layer("attn_q", "self_attn.q_proj"),
    _layer("attn_k", "self_attn.k_proj"),
    _layer("attn_v", "self_attn.v_proj"),
    _layer("attn_output", "self_attn.o_proj"),
)
_FEED_FORWARD: Table = (
    _layer("ffn_gate", "mlp.gate_proj"),
    _layer("ffn_up", "mlp.up_proj"),
    _layer("ffn_down", "mlp.down_proj"),
)
_PRE_NORM = _layer("ffn_norm", "post_attention_layernorm")
_DECODER: Table = (*_ENDS, *_ATTENTION, _PRE_NORM, *_FEED_FORWARD)
_QUERY_KEY_NORMS: Table = (
    _layer("attn_q_norm", "self_attn.q_norm"),
    _layer("attn_k_norm", "self_attn.k_norm"),
)
_SANDWICH: Table = (
    *_ENDS,
    *_ATTENTION,
    _layer("post_attention_norm", "post_attention_layernorm"),
    _layer("ffn_norm", "pre_feedforward_layernorm"),
    *_FEED_FORWARD,
    _layer("post_ffw_norm", "post_feedforward_layernorm"),
)
_NORMS = r".*norm\.weight"

_LLAMA = Family(
    model_type="llama",
    keys=_HEADS,
    table=_DECODER,
    given=_ROTARY,
    switches={"attention_bias": "blk.0.attn_q.bias", "mlp_bias": "blk.0.ffn_up.bias"},
    interleaved=r"blk\.\d+\.attn_[qk]\.(weight|bias)",
)
_QWEN2 = Family(model_type="qwen2", keys=_SIZES, table=_DECODER, given=_ROTARY)
_QWEN3 = Family(
    model_type="qwen3",
    keys=_HEADS,
    table=(*_DECODER, *_QUERY_KEY_NORMS),
    given=_ROTARY,
    switches={"attention_bias": "blk.0.attn_q.bias"},
)
_GEMMA = Family(model_type="gemma", keys=_HEADS, table=_DECODER, given=_ROTARY, shifted=_NORMS)
_GEMMA2 = Family(
    model_type="gemma2",
    keys=_HEADS | _CAPS | _WINDOW,
    table=_SANDWICH,
    given=_ROTARY,
    wide_scores=frozenset({46}),  # 27B
    shifted=_NORMS,
)
_GEMMA3 = Family(
    model_type="gemma3_text",
    keys=_HEADS | _WINDOW | {"rope.freq_base_swa": "rope_local_base_freq"},
    table=(*_SANDWICH, *_QUERY_KEY_NORMS),
    given=_ROTARY,
    wide_scores=frozenset({62}),  # 27B
    shifted=_NORMS,
)
_PHI3 = Family(
    model_type="phi3",
    keys=_SIZES | _WINDOW,
    table=(
        *_ENDS,
        _layer("attn_norm", "input_layernorm"),
        _layer("attn_qkv", "self_attn.qkv_proj"),
        _layer("attn_output", "self_attn.o_proj"),
        _PRE_NORM,
        _layer("ffn_up", "mlp.gate_up_proj"),
        _layer("ffn_down", "mlp.down_proj"),
    ),
    given=_ROTARY,
)
_GPT2 = Family(
    model_type="gpt2",
    keys={
        "block_count": "n_layer",
        "context_length": "n_positions",
        "embedding_length": "n_embd",
        "feed_forward_length": "n_inner",
        "attention.head_count": "n_head",
        "attention.layer_norm_epsilon": "layer_norm_epsilon",
    },
    table=(
        module("token_embd", "transformer.wte"),
        module("position_embd", "transformer.wpe"),
        module("output_norm", "transformer.ln_f"),
        module("output", "lm_head"),
        block("attn_norm", r"transformer.h.\1.ln_1"),
        block("attn_qkv", r"transformer.h.\1.attn.c_attn"),
        block("attn_output", r"transformer.h.\1.attn.c_proj"),
        block("ffn_norm", r"transformer.h.\1.ln_2"),
        block("ffn_up", r"transformer.h.\1.mlp.c_fc"),
        block("ffn_down", r"transformer.h.\1.mlp.c_proj"),
    ),
    transposed=r"blk\.\d+\.(attn_qkv|attn_output|ffn_up|ffn_down)\.weight",
)
DECODERS = {
    "llama": _LLAMA,
    "qwen2": _QWEN2,
    "qwen3": _QWEN3,
    "gemma": _GEMMA,
    "gemma2": _GEMMA2,
    "gemma3": _GEMMA3,
    "phi3": _PHI3,
    "gpt2": _GPT2,
}
