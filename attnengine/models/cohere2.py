"""Cohere's Command R7B: as Command R; three layers of four have a window, one no positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models import cohere
from attnengine.models.registry import Weights, register


@dataclass(frozen=True)
class Config(cohere.Config):
    """Keys of Hugging Face's ``Cohere2Config``."""

    rope_theta: float = 10_000.0
    sliding_window: int = 4096
    sliding_window_pattern: int = 4  # where there are no layer_types: each such layer sees all
    layer_types: tuple[Literal["full_attention", "sliding_attention"], ...] | None = None

    def window(self, layer: int) -> int | None:
        """How many positions a layer sees. None: all, and it does not turn them."""
        if self.layer_types is None:
            return self.sliding_window if (layer + 1) % self.sliding_window_pattern else None
        return self.sliding_window if self.layer_types[layer] == "sliding_attention" else None


@register("cohere2", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build as Cohere."""
    if config.layer_types is not None and len(config.layer_types) != config.num_hidden_layers:
        raise FormatError(
            f"config: 'layer_types' has {len(config.layer_types)} entries, expected "
            f"'num_hidden_layers' {config.num_hidden_layers}"
        )
    return cohere.build_decoder(config, weights)
