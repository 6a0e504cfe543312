"""Shared parts of families like Llama: pre-norm, rotary positions, gated feed-forward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from attnengine import _core
from attnengine.models.matrix import scaled
from attnengine.models.parts import rotary as rotaries
from attnengine.models.parts.attention import Heads, heads, separate_qkv
from attnengine.models.parts.blocks import ActivationName, gated_feed_forward
from attnengine.models.parts.vocabulary import with_head
from attnengine.models.weights import Weights


@dataclass(frozen=True, kw_only=True)
class AnyNormConfig:
    """Keys of Hugging Face's configs that these families share, with any kind of norm."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    hidden_act: ActivationName = "silu"
    rope_theta: float = 10_000.0
    rope_scaling: dict[str, Any] | None = None
    tie_word_embeddings: bool = False

    @property
    def heads(self) -> Heads:
        """The number of query heads and key/value heads, and their size."""
        counts = self.num_attention_heads, self.num_key_value_heads
        return heads(self.hidden_size, *counts, self.head_dim)

    def norm(
        self, w: Weights, name: str, size: int | None = None, *, scale: float = 1.0
    ) -> _core.Norm:
        """Build a norm with scaled output, over rows or over parts of ``size``."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Config(AnyNormConfig):
    """The shared keys, with RMS norms."""

    rms_norm_eps: float

    norm_offset: ClassVar[float] = 0.0  # added to the weights of norms

    def norm(
        self, w: Weights, name: str, size: int | None = None, *, scale: float = 1.0
    ) -> _core.RMSNorm:
        """Build an RMS norm with scaled output, over rows or over parts of ``size``."""
        weight = w.take(f"{name}.weight", size or self.hidden_size)
        return _core.RMSNorm(scaled(weight + self.norm_offset, scale), eps=self.rms_norm_eps)


def decoder(
    config: AnyNormConfig,
    weights: Weights,
    layer: Callable[[int, Weights], _core.TransformerLayer],
    *,
    embedding_scale: float = 1.0,
    logit_scale: float = 1.0,
    logit_cap: float = 0.0,
) -> _core.TransformerDecoder:
    """Build from ``model.*`` and, unless tied, ``lm_head.weight``; ``layer`` builds layer i."""
    model = weights.under("model")
    table = model.matrix("embed_tokens.weight", config.vocab_size, config.hidden_size)
    embedding, output = with_head(weights, table, tied=config.tie_word_embeddings)
    return _core.TransformerDecoder(
        _core.TransformerStack(
            embedding=embedding,
            max_positions=rotaries.limit(config.rope_scaling, config.max_position_embeddings),
            layers=[layer(i, model.under(f"layers.{i}")) for i in range(config.num_hidden_layers)],
            embedding_scale=embedding_scale,
            final_norm=config.norm(model, "norm", scale=logit_scale),
        ),
        output,
        settings=weights.settings,
        logit_cap=logit_cap,
    )


def pre_norm_layer(
    config: AnyNormConfig,
    w: Weights,
    attention: _core.MultiHeadAttention,
    feed_forward: _core.FeedForwardBlock,
) -> _core.TransformerLayer:
    """Build a layer with a norm before each block."""
    return _core.TransformerLayer(
        self_attention=attention,
        self_attention_norm=_core.BlockNorm(before=config.norm(w, "input_layernorm")),
        feed_forward=feed_forward,
        feed_forward_norm=_core.BlockNorm(before=config.norm(w, "post_attention_layernorm")),
    )


def attention(
    config: AnyNormConfig,
    w: Weights,
    *,
    bias: bool = False,
    output_bias: bool = False,
    output_scale: float = 1.0,
    neighbours: int = 0,
    **options: Any,
) -> _core.MultiHeadAttention:
    """Build from ``self_attn.*``; the options are those of ``_core.MultiHeadAttention``.

    In the first ``neighbours`` dimensions of a head the model's rotary pairs are 2i and 2i + 1.
    """
    size, w = config.hidden_size, w.under("self_attn")
    return _core.MultiHeadAttention(
        **separate_qkv(w, size, config.heads, bias=bias, neighbours=neighbours),
        output=w.linear("o_proj", size, config.heads.size, bias=output_bias, scale=output_scale),
        **options,
    )


def feed_forward(
    config: AnyNormConfig, w: Weights, *, bias: bool = False, output_scale: float = 1.0
) -> _core.FeedForward:
    """Build a gated feed-forward network from ``mlp.*``."""
    return gated_feed_forward(
        w.under("mlp"),
        config.hidden_size,
        config.intermediate_size,
        config.hidden_act,
        bias=bias,
        output_scale=output_scale,
    )


def rotary(config: AnyNormConfig, partial: float = 1.0) -> _core.Rotary:
    """Return the rotation of the first part of each head."""
    return rotaries.rotary(
        config.heads.dim,
        config.rope_theta,
        config.rope_scaling,
        config.max_position_embeddings,
        partial,
        limited=True,
    )
