"""OLMo: Llama with layer norms without weights, and clipped projections (AI2 2024)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attnengine import _core
from attnengine.models.decoders import llama_like as shared
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(shared.AnyNormConfig):
    """Keys of Hugging Face's ``OlmoConfig``."""

    attention_bias: bool = False
    clip_qkv: float | None = None

    def norm(
        self, w: Weights, name: str, size: int | None = None, *, scale: float = 1.0
    ) -> _core.LayerNorm:
        """Build a layer norm with ``scale`` as its weights, because checkpoints have none."""
        weight = np.full(size or self.hidden_size, scale, np.float32)
        return _core.LayerNorm(weight, None, eps=1e-5)


@register("olmo", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build a decoder with all layers alike."""
    rotary, bias = shared.rotary(config), config.attention_bias
    clip = config.clip_qkv or 0.0

    def layer(i: int, w: Weights) -> _core.TransformerLayer:
        attention = shared.attention(
            config, w, bias=bias, output_bias=bias, rotary=rotary, clip=clip
        )
        return shared.pre_norm_layer(config, w, attention, shared.feed_forward(config, w))

    return shared.decoder(config, weights, layer)
