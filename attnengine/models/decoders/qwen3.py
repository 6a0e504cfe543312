"""Qwen3: Llama with a norm on each head of queries and keys (Yang et al. 2025)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.decoders import llama_like as shared
from attnengine.models.decoders import qwen2
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(qwen2.Config):
    """Keys of Hugging Face's ``Qwen3Config``; windows follow Qwen2."""

    attention_bias: bool = False


@register("qwen3", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build from Llama's weights, ``self_attn.q_norm`` and ``self_attn.k_norm``."""
    rotary, bias = shared.rotary(config), config.attention_bias

    def layer(i: int, w: Weights) -> _core.TransformerLayer:
        attention = shared.attention(
            config,
            w,
            bias=bias,
            output_bias=bias,
            query_norm=config.norm(w, "self_attn.q_norm", config.heads.dim),
            key_norm=config.norm(w, "self_attn.k_norm", config.heads.dim),
            rotary=rotary,
            window=config.window(i),
        )
        return shared.pre_norm_layer(config, w, attention, shared.feed_forward(config, w))

    return shared.decoder(config, weights, layer)
