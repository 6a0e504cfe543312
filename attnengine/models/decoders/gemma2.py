"""Gemma 2: norms before and after each block, caps, windows in every other layer (2024)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from attnengine import _core
from attnengine.models.decoders import gemma
from attnengine.models.decoders import llama_like as shared
from attnengine.models.parts.blocks import LayerType, layer_type, window
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(gemma.Config):
    """Keys of Hugging Face's ``Gemma2Config``; ``hidden_activation`` is ``hidden_act``."""

    query_pre_attn_scalar: float = 256.0
    sliding_window: int | None = 4096
    layer_types: tuple[LayerType, ...] | None = None
    attn_logit_softcapping: float | None = 50.0
    final_logit_softcapping: float | None = 30.0

    def kind(self, i: int, period: int = 2) -> LayerType:
        """The type of layer i; by default the last layer of each period has full attention."""
        windowed = (i + 1) % period != 0
        return layer_type(self.layer_types, self.num_hidden_layers, i, windowed=windowed)


@register("gemma2", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build a decoder with layers that differ in their windows."""
    rotary = shared.rotary(config)

    def build_layer(i: int, w: Weights) -> _core.TransformerLayer:
        size = window(config.kind(i), config.sliding_window)
        return layer(config, w, rotary=rotary, window=size)

    return shared.decoder(
        config,
        weights,
        build_layer,
        embedding_scale=config.embedding_scale,
        logit_cap=config.final_logit_softcapping or 0.0,
    )


def layer(config: Config, w: Weights, **options: Any) -> _core.TransformerLayer:
    """Build one layer; the options are those of ``_core.MultiHeadAttention``."""
    return _core.TransformerLayer(
        self_attention=shared.attention(
            config,
            w,
            bias=config.attention_bias,
            output_bias=config.attention_bias,
            scale=config.query_pre_attn_scalar**-0.5,
            score_cap=config.attn_logit_softcapping or 0.0,
            **options,
        ),
        self_attention_norm=_core.BlockNorm(
            before=config.norm(w, "input_layernorm"),
            inside=config.norm(w, "post_attention_layernorm"),
        ),
        feed_forward=shared.feed_forward(config, w),
        feed_forward_norm=_core.BlockNorm(
            before=config.norm(w, "pre_feedforward_layernorm"),
            inside=config.norm(w, "post_feedforward_layernorm"),
        ),
    )
