"""Transformer encoder-decoder (Vaswani et al. 2017), pre- and post-norm."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.matrix import Floats
from attnengine.models.parts.blocks import projections
from attnengine.models.parts.vocabulary import embedding, vocabulary_layers
from attnengine.models.registry import register
from attnengine.models.weights import Weights

_MAX_SINUSOIDS = 2**24  # numbers; no weight in the file bounds 'max_positions'


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Sizes and switches of embeddings and layers; ``docs/export.md`` explains each."""

    hidden_size: int
    intermediate_size: int
    num_heads: int
    norm_placement: Literal["pre", "post"]
    final_norm: bool
    norm_eps: float
    activation: Literal["relu", "gelu", "gelu_tanh", "silu"]
    positions: Literal["sinusoidal", "learned"]
    position_layout: Literal["halves", "interleaved", "marian"] | None
    position_offset: int = field(metadata={"minimum": 0})
    max_positions: int
    scale_embeddings: bool
    embedding_norm: bool = False


@dataclass(frozen=True, kw_only=True)
class Config(Stack):
    """Keys that encoder and decoder share, and the sizes of each."""

    source_vocab_size: int
    target_vocab_size: int
    encoder_num_layers: int
    decoder_num_layers: int
    shared_embeddings: bool
    tied_output: bool
    decoder_self_attention: Literal["attention", "ssru", "average"] = "attention"
    average_intermediate_size: int | None = None


@register("transformer", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerSeq2Seq:
    """Build from the weight names that BART and Marian have in transformers."""
    check_sides(config)
    size = config.hidden_size
    source_table = weights.matrix("encoder.embed_tokens.weight", config.source_vocab_size, size)
    shape = config.target_vocab_size, size
    shared = config.shared_embeddings
    target, output = vocabulary_layers(
        weights,
        source_table if shared else weights.matrix("decoder.embed_tokens.weight", *shape),
        None if config.tied_output else weights.matrix("lm_head.weight", *shape),
        weights.get("lm_head.bias", config.target_vocab_size),
    )
    source = target if shared else embedding(weights, source_table)
    return _core.TransformerSeq2Seq(
        encoder=_core.TransformerEncoder(
            stack(config, weights.under("encoder"), source, config.encoder_num_layers)
        ),
        decoder=_core.TransformerDecoder(
            stack(config, weights.under("decoder"), target, config.decoder_num_layers, cross=True),
            output,
            settings=weights.settings,
        ),
    )


def check(config: Stack) -> None:
    """Raise FormatError for switches and sizes that contradict each other."""
    if (config.positions == "sinusoidal") != (config.position_layout is not None):
        raise FormatError(
            f"config: 'position_layout' is {config.position_layout!r} with 'positions' "
            f"{config.positions!r}, expected a layout for sinusoidal ones and null for learned ones"
        )
    if config.hidden_size % config.num_heads:
        raise FormatError(
            f"config: 'num_heads' is {config.num_heads}, expected a divisor of 'hidden_size' "
            f"{config.hidden_size}"
        )


def check_sides(config: Config) -> None:
    """Raise FormatError for keys of encoder and decoder that contradict each other."""
    check(config)
    if config.average_intermediate_size and config.decoder_self_attention != "average":
        raise FormatError(
            f"config: 'average_intermediate_size' is {config.average_intermediate_size}, expected "
            f"null with 'decoder_self_attention' {config.decoder_self_attention!r}"
        )
    if config.shared_embeddings and config.source_vocab_size != config.target_vocab_size:
        raise FormatError("config: 'shared_embeddings' is true, expected equal vocabulary sizes")


def stack(
    config: Stack,
    w: Weights,
    embedding: _core.Embedding | None,
    num_layers: int,
    *,
    cross: bool = False,
) -> _core.TransformerStack:
    """Build an encoder, a language model or, with ``cross``, a decoder that reads a source.

    Without ``embedding`` the stack reads vectors that another layer makes.
    """
    return _core.TransformerStack(
        embedding=embedding,
        max_positions=config.max_positions,
        positions=positions(config, w),
        embedding_scale=math.sqrt(config.hidden_size) if config.scale_embeddings else 1.0,
        embedding_norm=norm(config, w, "layernorm_embedding") if config.embedding_norm else None,
        layers=[layer(config, w.under(f"layers.{i}"), cross=cross) for i in range(num_layers)],
        final_norm=norm(config, w, "layer_norm") if config.final_norm else None,
    )


def layer(config: Stack, w: Weights, *, cross: bool) -> _core.TransformerLayer:
    """Build one layer, with cross-attention in a decoder."""
    place = {"pre": "before", "post": "after"}[config.norm_placement]

    def block_norm(name: str) -> _core.BlockNorm:
        return _core.BlockNorm(**{place: norm(config, w, name)})

    instead = recurrence(config, w) if cross else None
    return _core.TransformerLayer(
        self_attention=None if instead else attention(config, w.under("self_attn"), cross=False),
        recurrence=instead,
        self_attention_norm=block_norm("self_attn_layer_norm"),
        cross_attention=(attention(config, w.under("encoder_attn"), cross=True) if cross else None),
        cross_attention_norm=block_norm("encoder_attn_layer_norm") if cross else None,
        feed_forward=feed_forward(config, w, config.intermediate_size),
        feed_forward_norm=block_norm("final_layer_norm"),
    )


def feed_forward(config: Stack, w: Weights, intermediate_size: int) -> _core.FeedForward:
    """Build a feed-forward network."""
    size = config.hidden_size
    return _core.FeedForward(
        up=w.linear("fc1", intermediate_size, size),
        down=w.linear("fc2", size, intermediate_size),
        activation=config.activation,
    )


def recurrence(config: Stack, w: Weights) -> _core.Recurrence | None:
    """Build the recurrence that replaces a decoder layer's self-attention, or return None."""
    if not isinstance(config, Config) or config.decoder_self_attention == "attention":
        return None
    size, wide = config.hidden_size, config.average_intermediate_size
    if config.decoder_self_attention == "ssru":
        return _core.SimpleRecurrence(
            forget=w.linear("ssru.forget", size, size), input=w.linear("ssru.input", size, size)
        )
    w = w.under("average")
    return _core.AverageRecurrence(
        gate=w.linear("gate", 2 * size, 2 * size),
        feed_forward=feed_forward(config, w, wide) if wide else None,
    )


def attention(config: Stack, w: Weights, *, cross: bool) -> _core.MultiHeadAttention:
    """Build the projections of an attention."""
    size = config.hidden_size
    return _core.MultiHeadAttention(
        **projections(w, ("q_proj", "k_proj", "v_proj"), (size, size), cross=cross),
        output=w.linear("out_proj", size, size),
        num_heads=config.num_heads,
    )


def norm(config: Stack, w: Weights, name: str) -> _core.LayerNorm:
    """Build a layer norm."""
    size = config.hidden_size
    return _core.LayerNorm(
        w.take(f"{name}.weight", size),
        w.take(f"{name}.bias", size),
        eps=config.norm_eps,
    )


def positions(config: Stack, w: Weights) -> Floats:
    """Return the positions that are added to embeddings, (max_positions, hidden_size)."""
    count, offset = config.max_positions, config.position_offset
    if config.positions == "learned":
        return w.take("embed_positions.weight", count + offset, config.hidden_size)[offset:]
    if count * config.hidden_size > _MAX_SINUSOIDS:
        raise FormatError(
            f"config: 'max_positions' is {count} with 'hidden_size' {config.hidden_size}, expected "
            f"at most {_MAX_SINUSOIDS // config.hidden_size}"
        )
    half = config.hidden_size // 2
    # "halves" (Tensor2Tensor, OpenNMT-tf, CTranslate2) divides by half - 1, Vaswani et al. by half
    steps = max(half - 1, 1) if config.position_layout == "halves" else half
    rates = np.exp(np.arange(half) * -(math.log(1e4) / steps))
    angles = np.arange(offset, offset + count)[:, None] * rates  # (max_positions, hidden / 2)
    table = np.zeros((count, config.hidden_size))
    if config.position_layout in ("halves", "marian"):
        table[:, :half], table[:, half : 2 * half] = np.sin(angles), np.cos(angles)
    else:
        table[:, 0 : 2 * half : 2], table[:, 1 : 2 * half : 2] = np.sin(angles), np.cos(angles)
    return table.astype(np.float32)
