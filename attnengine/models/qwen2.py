"""Qwen2: Llama with biases on queries, keys and values, and windows that we do not have."""

from __future__ import annotations

from dataclasses import dataclass, field

from attnengine import _core
from attnengine.errors import Unsupported
from attnengine.models import llama
from attnengine.models.registry import Weights, register


@dataclass(frozen=True)
class Config(llama.Config):
    """Keys of Hugging Face's ``Qwen2Config``."""

    use_sliding_window: bool = False
    sliding_window: int | None = None
    max_window_layers: int = field(default=28, metadata={"minimum": 0})
    layer_types: tuple[str, ...] | None = None

    @property
    def query_bias(self) -> bool:
        """Whether queries, keys and values have biases: always."""
        return True


@register("qwen2", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build as Llama; the biases are taken where they are."""
    if config.use_sliding_window:
        raise Unsupported("config: 'use_sliding_window' is true, expected false")
    for kind in config.layer_types or ():
        if kind != "full_attention":
            raise Unsupported(f"config: 'layer_types' has {kind!r}, expected 'full_attention'")
    return llama.build_decoder(config, weights)
