"""Command R7B: Command R, with windows in three of four layers and no positions in the fourth."""

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
    sliding_window_pattern: int = 4  # without layer_types: every fourth layer sees all
    layer_types: tuple[LayerType, ...] | None = None

    def window(self, layer: int) -> int | None:
        """Positions that a layer sees; None: all, without rotary positions."""
        windowed = (layer + 1) % self.sliding_window_pattern != 0
        kind = layer_type(self.layer_types, self.num_hidden_layers, layer, windowed=windowed)
        return window(kind, self.sliding_window) or None


@register("cohere2", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build a decoder like Command R's."""
    return cohere.build_decoder(config, weights)
