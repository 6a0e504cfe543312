"""Writes golden models as GGUF with the names, orders and keys of convert_hf_to_gguf.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.golden import huggingface as golden
from tests.loaders.gguf.gguf_files import Stored, stored, write_gguf

Floats = NDArray[np.float32]
Metadata = dict[str, Any]

LLAMA_KEYS = {
    "num_hidden_layers": "block_count",
    "max_position_embeddings": "context_length",
    "hidden_size": "embedding_length",
    "intermediate_size": "feed_forward_length",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "rms_norm_eps": "attention.layer_norm_rms_epsilon",
    "rope_theta": "rope.freq_base",
    "vocab_size": "vocab_size",
    "head_dim": "attention.key_length",
    "attn_logit_softcapping": "attn_logit_softcapping",
    "final_logit_softcapping": "final_logit_softcapping",
    "sliding_window": "attention.sliding_window",
    "rope_local_base_freq": "rope.freq_base_swa",
}
GPT2_KEYS = {
    "n_layer": "block_count",
    "n_positions": "context_length",
    "n_embd": "embedding_length",
    "n_head": "attention.head_count",
    "n_inner": "feed_forward_length",
}
BERT_KEYS = {
    "num_hidden_layers": "block_count",
    "max_position_embeddings": "context_length",
    "hidden_size": "embedding_length",
    "intermediate_size": "feed_forward_length",
    "num_attention_heads": "attention.head_count",
    "layer_norm_eps": "attention.layer_norm_epsilon",
}
T5_KEYS = {
    "num_layers": "block_count",
    "num_decoder_layers": "decoder_block_count",
    "d_model": "embedding_length",
    "d_ff": "feed_forward_length",
    "num_heads": "attention.head_count",
    "d_kv": "attention.key_length",
    "layer_norm_epsilon": "attention.layer_norm_rms_epsilon",
    "relative_attention_num_buckets": "attention.relative_buckets_count",
}
NAMES = {
    "shared": "token_embd",
    "encoder.final_layer_norm": "enc.output_norm",
    "decoder.final_layer_norm": "dec.output_norm",
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "transformer.wte": "token_embd",
    "transformer.wpe": "position_embd",
    "transformer.ln_f": "output_norm",
    "bert.embeddings.word_embeddings": "token_embd",
    "bert.embeddings.position_embeddings": "position_embd",
    "bert.embeddings.token_type_embeddings": "token_types",
    "bert.embeddings.LayerNorm": "token_embd_norm",
}
LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "self_attn.qkv_proj": "attn_qkv",
    "mlp.gate_proj": "ffn_gate",
    "mlp.gate_up_proj": "ffn_up",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "ln_1": "attn_norm",
    "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "ln_2": "ffn_norm",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
    **{f"0.SelfAttention.{x}": f"attn_{x}" for x in "qkvo"},
    **{f"1.EncDecAttention.{x}": f"cross_attn_{x}" for x in "qkvo"},
    "0.SelfAttention.relative_attention_bias": "attn_rel_b",
    "0.layer_norm": "attn_norm",
}
SANDWICH_NAMES = {
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}
SCALING_KEYS = {
    "rope_type": "type",
    "original_max_position_embeddings": "original_context_length",
    "attention_factor": "attn_factor",
}
T5_NAMES = {"wi_0": "ffn_gate", "wi_1": "ffn_up", "wi": "ffn_up", "wo": "ffn_down"}
ARCHITECTURES = {"gemma3_text": "gemma3", "umt5": "t5"}


def gguf_name(name: str, architecture: str) -> str:
    module, _, part = name.rpartition(".")
    layers = LAYER_NAMES | (SANDWICH_NAMES if architecture[:6] in ("gemma2", "gemma3") else {})
    if module in NAMES:
        return f"{NAMES[module]}.{part}"
    layer = re.fullmatch(
        r"(?:model\.layers|transformer\.h|bert\.encoder\.layer)\.(\d+)\.(.*)", module
    )
    if layer is None:
        return t5_name(module)
    return f"blk.{layer[1]}.{layers[layer[2]]}.{part}"


def t5_name(module: str) -> str:
    """GGUF's name of a T5 weight; the second or third block of a layer is the feed-forward one."""
    layer = re.fullmatch(r"(enc|dec)oder\.block\.(\d+)\.layer\.(.*)", module)
    assert layer
    side, number, name = layer.groups()
    last = 1 if side == "enc" else 2
    if name == "1.layer_norm" and last == 2:
        known = "cross_attn_norm"
    elif name == f"{last}.layer_norm":
        known = "ffn_norm"
    elif name.startswith(f"{last}.DenseReluDense."):
        known = T5_NAMES[name.rpartition(".")[2]]
    else:
        known = LAYER_NAMES[name]
    return f"{side}.blk.{number}.{known}.weight"


def interleaved(rows: Floats, heads: int) -> Floats:
    """The rows of each head in the order 0, half, 1, half + 1, ..."""
    half = len(rows) // heads // 2
    order = [
        head * 2 * half + place * half + i
        for head in range(heads)
        for i in range(half)
        for place in (0, 1)
    ]
    return np.ascontiguousarray(rows[order])


def converted(config: Mapping[str, Any], weights: Mapping[str, Floats]) -> dict[str, Floats]:
    arrays = {}
    for name, values in weights.items():
        heads = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}
        kind = name.split(".")[-2]
        if config["architecture"] == "llama" and kind in heads:
            values = interleaved(values, config[heads[kind]])
        if config["architecture"] == "gpt2" and values.ndim == 2 and ".h." in name:
            values = np.ascontiguousarray(values.T)
        if "gemma" in config["architecture"] and name.endswith("norm.weight"):
            values = values + np.float32(1)
        arrays[gguf_name(name, config["architecture"])] = values
    return arrays


def metadata(config: Mapping[str, Any]) -> Metadata:
    architecture = ARCHITECTURES.get(config["architecture"], config["architecture"])
    keys = {"gpt2": GPT2_KEYS, "bert": BERT_KEYS, "t5": T5_KEYS}.get(architecture, LLAMA_KEYS)
    given = {key: value for key, value in config.items() if key in keys and value is not None}
    found: Metadata = {f"{architecture}.{keys[key]}": value for key, value in given.items()}
    if architecture == "t5":  # T5 files also hold the epsilon of LayerNorm, which T5 lacks
        found |= {"t5.context_length": 512, "t5.attention.layer_norm_epsilon": 1e-6}
        found |= {"t5.attention.value_length": config["d_kv"], "t5.decoder_start_token_id": 0}
    if architecture == "bert":
        found["bert.attention.causal"] = False
    if architecture == "gpt2":
        found.setdefault("gpt2.feed_forward_length", 4 * config["n_embd"])
        found["gpt2.attention.layer_norm_epsilon"] = 1e-5
    if architecture == "phi3":
        dims = int(config["partial_rotary_factor"] * config["hidden_size"])
        found["phi3.rope.dimension_count"] = dims // config["num_attention_heads"]
        found.setdefault("phi3.attention.sliding_window", 0)
    for key, value in (config.get("rope_scaling") or {}).items():
        if not key.endswith("_factor") or key == "attention_factor":
            found[f"{architecture}.rope.scaling.{SCALING_KEYS.get(key, key)}"] = value
    return {"general.architecture": architecture, **found}


def written(
    folder: Path, case: Mapping[str, Any], more: Mapping[str, Any] | None = None, **extra: Stored
) -> Path:
    """The file of a golden case, with additional metadata and tensors."""
    config = case["config"]
    arrays = converted(config, golden.weights(case["shapes"], case["seed"]))
    tensors = {name: stored(values) for name, values in arrays.items()}
    scaling = config.get("rope_scaling") or {}
    for kind in ("short", "long"):
        if f"{kind}_factor" in scaling:
            factors = np.array(scaling[f"{kind}_factor"], np.float32)
            tensors[f"rope_factors_{kind}.weight"] = stored(factors)
    tensors |= {f"{name}.weight": tensor for name, tensor in extra.items()}
    return write_gguf(folder / "model.gguf", metadata(config) | dict(more or {}), tensors)
