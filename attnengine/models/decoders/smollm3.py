"""SmolLM3: Llama without positions in every fourth layer (Yang et al. 2025)."""

from __future__ import annotations

from dataclasses import dataclass, field

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.decoders import llama
from attnengine.models.decoders import llama_like as shared
from attnengine.models.parts.blocks import LayerType, layer_type, window
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(llama.Config):
    """Keys of Hugging Face's ``SmolLM3Config``."""

    no_rope_layers: tuple[int, ...] | None = field(default=None, metadata={"minimum": 0})
    no_rope_layer_interval: int = 4
    use_sliding_window: bool = False
    sliding_window: int | None = None
    layer_types: tuple[LayerType, ...] | None = None

    def rotates(self, i: int) -> bool:
        """Whether layer i has rotary positions."""
        if self.no_rope_layers is None:
            return (i + 1) % self.no_rope_layer_interval != 0
        if len(self.no_rope_layers) < self.num_hidden_layers or self.no_rope_layers[i] > 1:
            raise FormatError(
                f"config: 'no_rope_layers' is {self.no_rope_layers!r:.200}, expected 0 or 1 for "
                f"each of {self.num_hidden_layers} layers"
            )
        return self.no_rope_layers[i] == 1

    def window(self, i: int) -> int:
        """Positions that layer i sees, 0 for all; by default layers without rotary have windows."""
        size = self.sliding_window if self.use_sliding_window else None
        windowed = size is not None and not self.rotates(i)
        kind = layer_type(self.layer_types, self.num_hidden_layers, i, windowed=windowed)
        return window(kind, size)


@register("smollm3", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build a decoder with layers that differ in their positions and windows."""
    rotary, bias = shared.rotary(config), config.attention_bias

    def layer(i: int, w: Weights) -> _core.TransformerLayer:
        attention = shared.attention(
            config,
            w,
            bias=bias,
            output_bias=bias,
            rotary=rotary if config.rotates(i) else None,
            window=config.window(i),
        )
        feed_forward = shared.feed_forward(config, w, bias=config.mlp_bias)
        return shared.pre_norm_layer(config, w, attention, feed_forward)

    return shared.decoder(config, weights, layer)
