"""OLMo 2: norms after each block, and over all queries and all keys (OLMo Team 2025)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.decoders import llama_like as shared
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(shared.Config):
    """Keys of Hugging Face's ``Olmo2Config``."""

    attention_bias: bool = False


@register("olmo2", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build a decoder with all layers alike."""
    rotary, bias, heads = shared.rotary(config), config.attention_bias, config.heads

    def layer(i: int, w: Weights) -> _core.TransformerLayer:
        return _core.TransformerLayer(
            self_attention=shared.attention(
                config,
                w,
                bias=bias,
                output_bias=bias,
                query_norm=config.norm(w, "self_attn.q_norm", heads.size),
                key_norm=config.norm(w, "self_attn.k_norm", heads.kv_size),
                rotary=rotary,
            ),
            self_attention_norm=_core.BlockNorm(inside=config.norm(w, "post_attention_layernorm")),
            feed_forward=shared.feed_forward(config, w),
            feed_forward_norm=_core.BlockNorm(inside=config.norm(w, "post_feedforward_layernorm")),
        )

    return shared.decoder(config, weights, layer)
