"""GGUF's architectures: which keys and names of transformers stand for their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from attnengine.loaders.names import Table


@dataclass(frozen=True)
class Family:
    """What an architecture's files say, in transformers' spelling.

    model_type: of transformers.
    keys: metadata below the architecture -> key of config.json.
    given: keys of config.json that every such file implies.
    switches: key of config.json -> a tensor; true where the file has it.
    table: names of weights.
    interleaved, transposed, shifted: patterns of names in the file whose rows stand in the order
    of interleaved rotary pairs, which are stored transposed, to which one was added.
    """

    model_type: str
    keys: Mapping[str, str]
    table: Table
    given: Mapping[str, Any] = field(default_factory=dict)
    switches: Mapping[str, str] = field(default_factory=dict)
    interleaved: str | None = None
    transposed: str | None = None
    shifted: str | None = None


def _block(name: str, canonical: str) -> tuple[str, tuple[str, ...]]:
    return rf"blk\.([0-9]{{1,3}})\.{name}\.(weight|bias)", (canonical,)


def _layer(name: str, canonical: str) -> tuple[str, tuple[str, ...]]:
    return _block(name, rf"model.layers.\1.{canonical}.\2")


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
_HEAD_DIM = {"attention.key_length": "head_dim"}
_ROTARY = {"rope_theta": 10000.0}  # unless the file says another
_ENDS: Table = (
    (r"token_embd\.weight", ("model.embed_tokens.weight",)),
    (r"output_norm\.weight", ("model.norm.weight",)),
    (r"output\.weight", ("lm_head.weight",)),
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
_DECODER: Table = (
    *_ENDS,
    *_ATTENTION,
    _layer("ffn_norm", "post_attention_layernorm"),
    *_FEED_FORWARD,
)
_QUERY_KEY_NORMS: Table = (
    _layer("attn_q_norm", "self_attn.q_norm"),
    _layer("attn_k_norm", "self_attn.k_norm"),
)

FAMILIES = {
    "llama": Family(
        model_type="llama",
        keys={**_SIZES, **_HEAD_DIM},
        given=_ROTARY,
        switches={"attention_bias": "blk.0.attn_q.bias", "mlp_bias": "blk.0.ffn_up.bias"},
        table=_DECODER,
        interleaved=r"blk\.\d+\.attn_[qk]\.(weight|bias)",
    ),
    "qwen2": Family(model_type="qwen2", keys=_SIZES, given=_ROTARY, table=_DECODER),
    "gpt2": Family(
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
            (r"token_embd\.weight", ("transformer.wte.weight",)),
            (r"position_embd\.weight", ("transformer.wpe.weight",)),
            (r"output_norm\.(weight|bias)", (r"transformer.ln_f.\1",)),
            (r"output\.weight", ("lm_head.weight",)),
            _block("attn_norm", r"transformer.h.\1.ln_1.\2"),
            _block("attn_qkv", r"transformer.h.\1.attn.c_attn.\2"),
            _block("attn_output", r"transformer.h.\1.attn.c_proj.\2"),
            _block("ffn_norm", r"transformer.h.\1.ln_2.\2"),
            _block("ffn_up", r"transformer.h.\1.mlp.c_fc.\2"),
            _block("ffn_down", r"transformer.h.\1.mlp.c_proj.\2"),
        ),
        transposed=r"blk\.\d+\.(attn_qkv|attn_output|ffn_up|ffn_down)\.weight",
    ),
}

# Metadata below an architecture that says nothing, or what the tensors say too.
IGNORED = frozenset(
    {
        "vocab_size",
        "tensor_data_layout",  # how the rows of queries and keys stand, which never differs
        "rope.scaling.finetuned",
        "attention.causal",  # every architecture here has only one
    }
)
# The only values that attnengine has of what most files do not mention.
NEUTRAL: dict[str, tuple[object, ...]] = {
    "attention.sliding_window": (0,),
    "expert_count": (0,),
    "expert_used_count": (0,),
    "pooling_type": (0,),
}
