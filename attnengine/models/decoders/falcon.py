"""Falcon: few key/value heads, parallel attention and feed-forward (Almazrouei et al. 2023).

The 40 and 180 billion models and Falcon 2 have the new architecture: one key/value head for each
group of query heads, and mostly two norms. The RW models have ALiBi and neither of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from attnengine import _core
from attnengine.errors import FormatError, Unsupported
from attnengine.models.matrix import Floats
from attnengine.models.parts.attention import Heads, alibi_slopes, grouped_qkv, heads
from attnengine.models.parts.blocks import ActivationName, feed_forward, layer_norm
from attnengine.models.parts.rotary import limit, rotary
from attnengine.models.parts.vocabulary import with_head
from attnengine.models.registry import register
from attnengine.models.weights import Weights

MAX_BIASES = 2**26  # checked before memory is allocated


@dataclass(frozen=True)
class Config:
    """Keys of Hugging Face's ``FalconConfig``."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int
    num_kv_heads: int | None = None  # in the new architecture
    num_ln_in_parallel_attn: int | None = None
    ffn_hidden_size: int | None = None
    layer_norm_epsilon: float = 1e-5
    activation: ActivationName = "gelu"
    alibi: bool = False
    new_decoder_architecture: bool = False
    multi_query: bool = True
    parallel_attn: bool = True
    bias: bool = False
    rope_theta: float = 10_000.0
    rope_scaling: dict[str, Any] | None = None
    tie_word_embeddings: bool = True

    @property
    def kv_heads(self) -> int:
        """Heads of keys and values."""
        if self.new_decoder_architecture:
            return self.num_kv_heads or self.num_attention_heads
        return 1 if self.multi_query else self.num_attention_heads


@register("falcon", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build from ``transformer.*`` and, unless tied, ``lm_head.weight``."""
    if config.new_decoder_architecture and not config.parallel_attn:
        raise Unsupported(
            "config: 'parallel_attn' is false, expected true with 'new_decoder_architecture'"
        )
    model, size = weights.under("transformer"), config.hidden_size
    shape = heads(size, config.num_attention_heads, config.kv_heads)
    table = model.matrix("word_embeddings.weight", config.vocab_size, size)
    embedding, output = with_head(weights, table, tied=config.tie_word_embeddings)
    positions = scheme(config, shape)
    return _core.TransformerDecoder(
        _core.TransformerStack(
            embedding=embedding,
            max_positions=longest(config),
            layers=[
                layer(config, model.under(f"h.{i}"), shape, positions)
                for i in range(config.num_hidden_layers)
            ],
            final_norm=layer_norm(model, "ln_f", size, config.layer_norm_epsilon),
        ),
        output,
        settings=weights.settings,
    )


def longest(config: Config) -> int:
    """Return the largest number of positions of a sequence."""
    scaling = None if config.alibi else config.rope_scaling
    return limit(scaling, config.max_position_embeddings)


def scheme(config: Config, shape: Heads) -> dict[str, Any]:
    """Return the arguments of attention for ALiBi or rotary positions."""
    if config.alibi:
        return {"position_bias": biases(shape, config.max_position_embeddings)}
    turn = rotary(shape.dim, config.rope_theta, config.rope_scaling, config.max_position_embeddings)
    return {"rotary": turn}


def biases(shape: Heads, positions: int) -> _core.PositionBias:
    """ALiBi with transformers' rounding: slopes, key positions and their products in bfloat16.

    The biases are added before scores are scaled.
    """
    if shape.count * positions > MAX_BIASES:
        raise FormatError(
            f"config: 'max_position_embeddings' is {positions}, expected at most "
            f"{MAX_BIASES // shape.count} with 'alibi' and {shape.count} heads"
        )
    slopes = bfloat16(alibi_slopes(shape.count))
    keys = bfloat16(np.outer(slopes, bfloat16(np.arange(positions, dtype=np.float32))))
    return _core.PositionBias(keys=keys / math.sqrt(shape.dim))


def bfloat16(x: Floats) -> Floats:
    """Round to bfloat16, ties to even."""
    bits = x.view(np.uint32)
    rounded: Floats = (bits + 0x7FFF + (bits >> 16 & 1) & 0xFFFF0000).view(np.float32)
    return rounded


def layer(
    config: Config, w: Weights, shape: Heads, positions: dict[str, Any]
) -> _core.TransformerLayer:
    """Build one layer."""
    size, bias, attention = config.hidden_size, config.bias, w.under("self_attention")
    before, between = norms(config, w)
    return _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            **grouped_qkv(attention, "query_key_value", size, shape, bias=bias),
            output=attention.linear("dense", size, size, bias=bias),
            **positions,
        ),
        self_attention_norm=_core.BlockNorm(before=before),
        feed_forward=feed_forward(
            w.under("mlp"),
            ("dense_h_to_4h", "dense_4h_to_h"),
            (size, config.ffn_hidden_size or 4 * size),
            config.activation,
            bias=bias,
        ),
        feed_forward_norm=_core.BlockNorm(before=between),
        parallel=config.parallel_attn,
    )


def norms(config: Config, w: Weights) -> tuple[_core.LayerNorm, _core.LayerNorm]:
    """Build the norms before attention and before the feed-forward network."""
    names = "input_layernorm", "post_attention_layernorm"
    if config.new_decoder_architecture and config.num_ln_in_parallel_attn in (None, 2):
        names = "ln_attn", "ln_mlp"
    elif config.parallel_attn:
        names = "input_layernorm", "input_layernorm"
    before, between = (
        layer_norm(w, name, config.hidden_size, config.layer_norm_epsilon) for name in names
    )
    return before, between
