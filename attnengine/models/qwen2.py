"""Qwen2: Llama with biases on queries, keys and values, and windows that we do not have."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.errors import Unsupported
from attnengine.models import llama
from attnengine.models.registry import Weights, register


@dataclass(frozen=True)
class Config(llama.Config):
    """Keys of Hugging Face's ``Qwen2Config``."""

    use_sliding_window: bool = False


@register("qwen2", config=Config, ignores_unknown_keys=True)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build as Llama; the biases are taken where they are."""
    if config.use_sliding_window:
        raise Unsupported("config: 'use_sliding_window' is true, expected false")
    return llama.build_decoder(config, weights)
