"""Gemma 3: Gemma 2 with norms on heads instead of caps, and slower rotation in full layers."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.decoders import gemma2
from attnengine.models.decoders import llama_like as shared
from attnengine.models.parts.blocks import FULL, SLIDING, window
from attnengine.models.parts.rotary import rotary
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(gemma2.Config):
    """Keys of Hugging Face's ``Gemma3TextConfig``; ``hidden_activation`` is ``hidden_act``."""

    rope_theta: float = 1e6  # base of layers with full attention, with rope_scaling
    rope_local_base_freq: float = 10_000.0  # base of layers with a window
    sliding_window_pattern: int = 6
    attn_logit_softcapping: None = None  # transformers ignores other values
    final_logit_softcapping: float | None = None


@register("gemma3_text", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build a decoder with layers that differ in their windows and rotations."""
    dim = config.heads.dim
    local = rotary(dim, config.rope_local_base_freq, None, config.max_position_embeddings)
    turns = {FULL: shared.rotary(config), SLIDING: local}

    def layer(i: int, w: Weights) -> _core.TransformerLayer:
        kind = config.kind(i, config.sliding_window_pattern)
        return gemma2.layer(
            config,
            w,
            query_norm=config.norm(w, "self_attn.q_norm", dim),
            key_norm=config.norm(w, "self_attn.k_norm", dim),
            rotary=turns[kind],
            window=window(kind, config.sliding_window),
        )

    return shared.decoder(
        config,
        weights,
        layer,
        embedding_scale=config.embedding_scale,
        logit_cap=config.final_logit_softcapping or 0.0,
    )
