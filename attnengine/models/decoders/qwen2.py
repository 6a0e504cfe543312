"""Qwen2: Llama with biases on queries, keys and values, and windows in the upper layers."""

from __future__ import annotations

from dataclasses import dataclass, field

from attnengine import _core
from attnengine.models.decoders import llama_like as shared
from attnengine.models.parts.blocks import LayerType, layer_type, window
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(shared.Config):
    """Keys of Hugging Face's ``Qwen2Config``."""

    use_sliding_window: bool = False
    sliding_window: int | None = None
    max_window_layers: int = field(default=28, metadata={"minimum": 0})
    layer_types: tuple[LayerType, ...] | None = None  # takes precedence over the keys above

    def window(self, i: int) -> int:
        """The number of positions that layer i sees, 0 for all."""
        size = self.sliding_window if self.use_sliding_window else None
        windowed = size is not None and i >= self.max_window_layers
        kind = layer_type(self.layer_types, self.num_hidden_layers, i, windowed=windowed)
        return window(kind, size)


@register("qwen2", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build a decoder with biases on queries, keys and values alone."""
    rotary = shared.rotary(config)

    def layer(i: int, w: Weights) -> _core.TransformerLayer:
        attention = shared.attention(config, w, bias=True, rotary=rotary, window=config.window(i))
        return shared.pre_norm_layer(config, w, attention, shared.feed_forward(config, w))

    return shared.decoder(config, weights, layer)
