"""Phi-3: Mistral with fused projections and LongRoPE's frequencies (Abdin et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.decoders import llama_like as shared
from attnengine.models.decoders import mistral
from attnengine.models.parts.blocks import activation
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(mistral.Config):
    """Keys of Hugging Face's ``Phi3Config``; ``rope_scaling`` holds the original positions."""

    partial_rotary_factor: float = 1.0


@register("phi3", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build a decoder with the same window in every layer."""
    rotary = shared.rotary(config, config.partial_rotary_factor)

    def layer(i: int, w: Weights) -> _core.TransformerLayer:
        return shared.pre_norm_layer(
            config, w, attention(config, w, rotary), feed_forward(config, w)
        )

    return shared.decoder(config, weights, layer)


def attention(config: Config, w: Weights, rotary: _core.Rotary) -> _core.MultiHeadAttention:
    """Build from one matrix with the rows of queries, keys and values in this order."""
    size, heads, w = config.hidden_size, config.heads, w.under("self_attn")
    rows = heads.size + 2 * heads.kv_size
    return _core.MultiHeadAttention(
        query_key_value=w.linear("qkv_proj", rows, size, bias=False),
        output=w.linear("o_proj", size, heads.size, bias=False),
        num_heads=heads.count,
        num_kv_heads=heads.kv_count,
        rotary=rotary,
        window=config.sliding_window or 0,
    )


def feed_forward(config: shared.AnyNormConfig, w: Weights) -> _core.FeedForward:
    """Build from one matrix with the rows of the gate, then of the up projection."""
    size, wide, w = config.hidden_size, config.intermediate_size, w.under("mlp")
    return _core.FeedForward(
        up=w.linear("gate_up_proj", 2 * wide, size, bias=False),
        down=w.linear("down_proj", size, wide, bias=False),
        activation=activation(config.hidden_act),
        gated=True,
    )
