"""Llama: pre-norm decoder, RMS norm, rotary positions, gated feed-forward (Touvron et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.decoders import llama_like as shared
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(shared.Config):
    """Keys of Hugging Face's ``LlamaConfig``."""

    attention_bias: bool = False
    mlp_bias: bool = False


@register("llama", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build a decoder with all layers alike."""
    rotary, bias = shared.rotary(config), config.attention_bias

    def layer(i: int, w: Weights) -> _core.TransformerLayer:
        attention = shared.attention(config, w, bias=bias, output_bias=bias, rotary=rotary)
        feed_forward = shared.feed_forward(config, w, bias=config.mlp_bias)
        return shared.pre_norm_layer(config, w, attention, feed_forward)

    return shared.decoder(config, weights, layer)
