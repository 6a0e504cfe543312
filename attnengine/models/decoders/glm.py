"""GLM: Llama with rotary pairs of neighbours in a part of each head (GLM Team 2024)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.decoders import llama_like as shared
from attnengine.models.decoders import phi3
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(shared.Config):
    """Keys of Hugging Face's ``GlmConfig``."""

    partial_rotary_factor: float = 0.5
    attention_bias: bool = True


@register("glm", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build a decoder with all layers alike."""
    rotary = shared.rotary(config, config.partial_rotary_factor)
    turned = int(config.heads.dim * config.partial_rotary_factor)

    def layer(i: int, w: Weights) -> _core.TransformerLayer:
        attention = shared.attention(
            config, w, bias=config.attention_bias, neighbours=turned, rotary=rotary
        )
        return shared.pre_norm_layer(config, w, attention, phi3.feed_forward(config, w))

    return shared.decoder(config, weights, layer)
