"""Cohere's Command R7B: as Command R; three layers of four have a window, one no positions."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.decoders import cohere
from attnengine.models.parts.blocks import LayerType, layer_type, window
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(cohere.Config):
    """Keys of Hugging Face's ``Cohere2Config``."""

    rope_theta: float = 10_000.0
    sliding_window: int = 4096
    sliding_window_pattern: int = 4  # where there are no layer_types: each such layer sees all
    layer_types: tuple[LayerType, ...] | None = None

    def window(self, layer: int) -> int | None:
        """How many positions a layer sees. None: all, and it does not turn them."""
        windowed = (layer + 1) % self.sliding_window_pattern != 0
        kind = layer_type(self.layer_types, self.num_hidden_layers, layer, windowed=windowed)
        return window(kind, self.sliding_window) or None


@register("cohere2", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build as Cohere."""
    return cohere.build_decoder(config, weights)
