"""Mistral: Llama without biases, with a sliding window (Jiang et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.decoders import llama_like as shared
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(shared.Config):
    """Keys of Hugging Face's ``MistralConfig``."""

    sliding_window: int | None = None  # null: full attention


@register("mistral", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build a decoder with the same window in every layer."""
    rotary, window = shared.rotary(config), config.sliding_window or 0

    def layer(i: int, w: Weights) -> _core.TransformerLayer:
        attention = shared.attention(config, w, rotary=rotary, window=window)
        return shared.pre_norm_layer(config, w, attention, shared.feed_forward(config, w))

    return shared.decoder(config, weights, layer)
