"""Phi 1, 1.5 and 2: parallel attention and feed-forward after one norm (Li et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.decoders import neox_like as shared
from attnengine.models.parts.attention import Heads, heads, separate_qkv
from attnengine.models.parts.blocks import ActivationName, feed_forward, layer_norm
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(shared.Config):
    """Keys of Hugging Face's ``PhiConfig``."""

    num_key_value_heads: int | None = None
    hidden_act: ActivationName = "gelu_new"
    layer_norm_eps: float = 1e-5
    partial_rotary_factor: float = 0.5
    qk_layernorm: bool = False


@register("phi", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build from ``model.*``, ``lm_head.bias`` and, unless tied, ``lm_head.weight``."""
    model, size = weights.under("model"), config.hidden_size
    shape = heads(size, config.num_attention_heads, config.num_key_value_heads)
    turn = shared.rotary(config, shape, config.partial_rotary_factor)
    return shared.decoder(
        config,
        weights,
        model,
        lambda _, w: layer(config, w, shape, turn),
        layer_norm(model, "final_layernorm", size, config.layer_norm_eps),
        bias=True,
    )


def layer(config: Config, w: Weights, shape: Heads, turn: _core.Rotary) -> _core.TransformerLayer:
    """Build one layer."""
    size, eps, attention = config.hidden_size, config.layer_norm_eps, w.under("self_attn")
    norm = _core.BlockNorm(before=layer_norm(w, "input_layernorm", size, eps))
    query_norm, key_norm = (
        layer_norm(attention, f"{name}_layernorm", shape.dim, eps) if config.qk_layernorm else None
        for name in ("q", "k")
    )
    return _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            **separate_qkv(attention, size, shape, bias=True),
            output=attention.linear("dense", size, size, bias=True),
            rotary=turn,
            query_norm=query_norm,
            key_norm=key_norm,
        ),
        self_attention_norm=norm,
        feed_forward=feed_forward(
            w.under("mlp"),
            ("fc1", "fc2"),
            (size, config.intermediate_size),
            config.hidden_act,
            bias=True,
        ),
        feed_forward_norm=norm,
        parallel=True,
    )
