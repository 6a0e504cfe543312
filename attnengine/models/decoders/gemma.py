"""Gemma: Llama with norms that multiply by 1 + weight, scaled embeddings and GELU (2024)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from attnengine import _core
from attnengine.models.decoders import llama_like as shared
from attnengine.models.parts.blocks import ActivationName
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(shared.Config):
    """Keys of Hugging Face's ``GemmaConfig``."""

    hidden_act: ActivationName = "gelu_pytorch_tanh"
    tie_word_embeddings: bool = True
    attention_bias: bool = False

    norm_offset: ClassVar[float] = 1.0

    @property
    def embedding_scale(self) -> float:
        """The factor of embeddings."""
        return math.sqrt(self.hidden_size)


@register("gemma", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build a decoder with all layers alike."""
    if config.hidden_act == "gelu":  # the first files' name of the tanh approximation
        config = replace(config, hidden_act="gelu_pytorch_tanh")
    rotary, bias = shared.rotary(config), config.attention_bias

    def layer(i: int, w: Weights) -> _core.TransformerLayer:
        attention = shared.attention(config, w, bias=bias, output_bias=bias, rotary=rotary)
        return shared.pre_norm_layer(config, w, attention, shared.feed_forward(config, w))

    return shared.decoder(config, weights, layer, embedding_scale=config.embedding_scale)
