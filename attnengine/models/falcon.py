"""Falcon: few keys and values, attention and feed-forward side by side (Almazrouei et al. 2023).

The 40 and 180 billion models and Falcon 2 have the new architecture: a key and a value for each
group of queries, and mostly two norms. The RW models have ALiBi and neither.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from attnengine import _core
from attnengine.errors import Unsupported
from attnengine.models.attention import Heads, alibi, grouped_qkv, heads
from attnengine.models.blocks import ActivationName, feed_forward, layer_norm, output_layer
from attnengine.models.registry import Weights, register
from attnengine.models.rotary import rotary


@dataclass(frozen=True)
class Config:
    """Keys of Hugging Face's ``FalconConfig``."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int
    num_kv_heads: int | None = None  # of the new architecture
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
    embedding = model.take("word_embeddings.weight", config.vocab_size, size)
    positions = scheme(config, shape)
    return _core.TransformerDecoder(
        _core.TransformerStack(
            embedding=_core.Embedding(embedding),
            max_positions=config.max_position_embeddings,
            layers=[
                layer(config, model.under(f"h.{i}"), shape, positions)
                for i in range(config.num_hidden_layers)
            ],
            final_norm=layer_norm(model, "ln_f", size, config.layer_norm_epsilon),
        ),
        output_layer(weights, embedding, tied=config.tie_word_embeddings),
    )


def scheme(config: Config, shape: Heads) -> dict[str, Any]:
    """Return how attention knows positions; biases are added before scores are scaled."""
    if config.alibi:
        return {"position_bias": alibi(shape.count, factor=1 / math.sqrt(shape.dim))}
    turn = rotary(shape.dim, config.rope_theta, config.rope_scaling, config.max_position_embeddings)
    return {"rotary": turn}


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
    """Build those before attention and before the feed-forward network."""
    names = "input_layernorm", "post_attention_layernorm"
    if config.new_decoder_architecture and config.num_ln_in_parallel_attn in (None, 2):
        names = "ln_attn", "ln_mlp"
    elif config.parallel_attn:
        names = "input_layernorm", "input_layernorm"
    before, between = (
        layer_norm(w, name, config.hidden_size, config.layer_norm_epsilon) for name in names
    )
    return before, between
