"""Granite: Llama with multipliers (IBM 2024); the build folds all but one into the weights."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.decoders import llama
from attnengine.models.decoders import llama_like as shared
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(llama.Config):
    """Keys of Hugging Face's ``GraniteConfig``."""

    embedding_multiplier: float = 1.0
    attention_multiplier: float = 1.0  # scale of scores, in place of 1 / sqrt(head_dim)
    residual_multiplier: float = 1.0  # factor of each block's output
    logits_scaling: float = 1.0  # divisor of logits


@register("granite", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build a decoder with all layers alike."""
    rotary, bias, residual = (
        shared.rotary(config),
        config.attention_bias,
        config.residual_multiplier,
    )

    def layer(i: int, w: Weights) -> _core.TransformerLayer:
        attention = shared.attention(
            config,
            w,
            bias=bias,
            output_bias=bias,
            output_scale=residual,
            scale=config.attention_multiplier,
            rotary=rotary,
        )
        feed_forward = shared.feed_forward(config, w, bias=config.mlp_bias, output_scale=residual)
        return shared.pre_norm_layer(config, w, attention, feed_forward)

    return shared.decoder(
        config,
        weights,
        layer,
        embedding_scale=config.embedding_multiplier,
        logit_scale=1 / config.logits_scaling,
    )
