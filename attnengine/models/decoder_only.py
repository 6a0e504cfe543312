"""What decoder-only families of Llama's kind share: RMS norms, rotary positions, gated units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from attnengine import _core
from attnengine.errors import FormatError, Unsupported
from attnengine.models import rotary as rotaries
from attnengine.models.blocks import (
    ActivationName,
    Heads,
    gated_feed_forward,
    heads,
    output_layer,
    separate_qkv,
)
from attnengine.models.registry import Weights

FULL, SLIDING = "full_attention", "sliding_attention"  # in transformers' layer_types


@dataclass(frozen=True)
class Config:
    """Keys of Hugging Face's configs that these families have in common."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int
    rms_norm_eps: float
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    hidden_act: ActivationName = "silu"
    rope_theta: float = 10_000.0
    rope_scaling: dict[str, Any] | None = None
    tie_word_embeddings: bool = False

    norm_offset: ClassVar[float] = 0.0  # added to the weights of norms

    @property
    def heads(self) -> Heads:
        """Heads of queries, of keys and values, and their size."""
        counts = self.num_attention_heads, self.num_key_value_heads
        return heads(self.hidden_size, *counts, self.head_dim)


def decoder(
    config: Config,
    weights: Weights,
    layer: Callable[[int, Weights], _core.TransformerLayer],
    *,
    embedding_scale: float = 1.0,
    logit_scale: float = 1.0,
    logit_cap: float = 0.0,
) -> _core.TransformerDecoder:
    """Build from ``model.*`` and, unless tied, ``lm_head.weight``; ``layer`` builds layer i."""
    model = weights.under("model")
    embedding = model.take("embed_tokens.weight", config.vocab_size, config.hidden_size)
    return _core.TransformerDecoder(
        _core.TransformerStack(
            embedding=_core.Embedding(embedding),
            max_positions=rotaries.limit(config.rope_scaling, config.max_position_embeddings),
            layers=[layer(i, model.under(f"layers.{i}")) for i in range(config.num_hidden_layers)],
            embedding_scale=embedding_scale,
            final_norm=norm(config, model, "norm", scale=logit_scale),
        ),
        output_layer(weights, embedding, tied=config.tie_word_embeddings),
        logit_cap=logit_cap,
    )


def pre_norm_layer(
    config: Config,
    w: Weights,
    attention: _core.MultiHeadAttention,
    feed_forward: _core.FeedForwardBlock,
) -> _core.TransformerLayer:
    """Put a norm before each block."""
    return _core.TransformerLayer(
        self_attention=attention,
        self_attention_norm=_core.BlockNorm(before=norm(config, w, "input_layernorm")),
        feed_forward=feed_forward,
        feed_forward_norm=_core.BlockNorm(before=norm(config, w, "post_attention_layernorm")),
    )


def attention(
    config: Config,
    w: Weights,
    *,
    bias: bool = False,
    output_bias: bool = False,
    output_scale: float = 1.0,
    **options: Any,
) -> _core.MultiHeadAttention:
    """Build from ``self_attn.*``; the options are those of ``_core.MultiHeadAttention``."""
    size, w = config.hidden_size, w.under("self_attn")
    return _core.MultiHeadAttention(
        **separate_qkv(w, size, config.heads, bias=bias),
        output=w.linear("o_proj", size, config.heads.size, bias=output_bias, scale=output_scale),
        **options,
    )


def feed_forward(
    config: Config, w: Weights, *, bias: bool = False, output_scale: float = 1.0
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


def norm(
    config: Config, w: Weights, name: str, size: int | None = None, *, scale: float = 1.0
) -> _core.RMSNorm:
    """Build an RMS norm of rows, or of parts of ``size``, whose output is scaled."""
    weight = w.take(f"{name}.weight", size or config.hidden_size)
    return _core.RMSNorm((weight + config.norm_offset) * scale, eps=config.rms_norm_eps)


def rotary(config: Config, partial: float = 1.0) -> _core.Rotary:
    """Return the rotation of the first part of each head."""
    return rotaries.rotary(
        config.heads.dim,
        config.rope_theta,
        config.rope_scaling,
        config.max_position_embeddings,
        partial,
        limited=True,
    )


def layer_type(config: Config, kinds: Sequence[str] | None, i: int, *, windowed: bool) -> str:
    """Return the kind of layer i by ``layer_types``; without them, ``windowed`` says it."""
    if kinds is None:
        return SLIDING if windowed else FULL
    if len(kinds) != config.num_hidden_layers:
        raise FormatError(
            f"config: 'layer_types' has {len(kinds)} layers, expected {config.num_hidden_layers}"
        )
    if kinds[i] not in (FULL, SLIDING):
        raise Unsupported(
            f"config: 'layer_types' has {kinds[i]!r:.80}, expected {FULL!r} or {SLIDING!r}"
        )
    return kinds[i]


def window(kind: str, size: int | None) -> int:
    """Return how many positions a layer sees, 0 for all."""
    if kind == FULL:
        return 0
    if size is None:
        raise FormatError(f"config: a layer is {kind!r}, but there is no window")
    return size
