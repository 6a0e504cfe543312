"""GPT-NeoX: attention and feed-forward side by side, partly rotary positions (Black et al. 2022).

Also Pythia.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from attnengine import _core
from attnengine.models.blocks import (
    ActivationName,
    Heads,
    feed_forward,
    grouped_qkv,
    heads,
    layer_norm,
    output_layer,
)
from attnengine.models.registry import Weights, register
from attnengine.models.rotary import rotary


@dataclass(frozen=True)
class Config:
    """Keys of Hugging Face's ``GPTNeoXConfig``."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int
    layer_norm_eps: float = 1e-5
    hidden_act: ActivationName = "gelu"
    partial_rotary_factor: float = 0.25
    rope_theta: float = 10_000.0
    rope_scaling: dict[str, Any] | None = None
    use_parallel_residual: bool = True
    attention_bias: bool = True
    tie_word_embeddings: bool = False


@register("gpt_neox", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build from ``gpt_neox.*`` and, unless tied, ``lm_head.weight``."""
    model, size = weights.under("gpt_neox"), config.hidden_size
    shape = heads(size, config.num_attention_heads)
    turn = rotary(
        shape.dim,
        config.rope_theta,
        config.rope_scaling,
        config.max_position_embeddings,
        config.partial_rotary_factor,
    )
    embedding = model.take("embed_in.weight", config.vocab_size, size)
    return _core.TransformerDecoder(
        _core.TransformerStack(
            embedding=_core.Embedding(embedding),
            max_positions=config.max_position_embeddings,
            layers=[
                layer(config, model.under(f"layers.{i}"), shape, turn)
                for i in range(config.num_hidden_layers)
            ],
            final_norm=layer_norm(model, "final_layer_norm", size, config.layer_norm_eps),
        ),
        output_layer(weights, embedding, tied=config.tie_word_embeddings),
    )


def layer(config: Config, w: Weights, shape: Heads, turn: _core.Rotary) -> _core.TransformerLayer:
    """Build one layer."""
    size, bias = config.hidden_size, config.attention_bias
    before = layer_norm(w, "input_layernorm", size, config.layer_norm_eps)
    between = layer_norm(w, "post_attention_layernorm", size, config.layer_norm_eps)
    return _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            **grouped_qkv(w, "attention.query_key_value", size, shape, bias=bias),
            output=w.linear("attention.dense", size, size, bias=bias),
            rotary=turn,
        ),
        self_attention_norm=_core.BlockNorm(before=before),
        feed_forward=feed_forward(
            w.under("mlp"),
            ("dense_h_to_4h", "dense_4h_to_h"),
            (size, config.intermediate_size),
            config.hidden_act,
            bias=True,
        ),
        feed_forward_norm=_core.BlockNorm(before=between),
        parallel=config.use_parallel_residual,
    )
