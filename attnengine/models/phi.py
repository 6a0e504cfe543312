"""Phi 1, 1.5 and 2: attention and feed-forward side by side after one norm (Li et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from attnengine import _core
from attnengine.models.attention import Heads, heads, separate_qkv
from attnengine.models.blocks import ActivationName, feed_forward, layer_norm, output_layer
from attnengine.models.registry import Weights, register
from attnengine.models.rotary import rotary


@dataclass(frozen=True)
class Config:
    """Keys of Hugging Face's ``PhiConfig``."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int
    num_key_value_heads: int | None = None
    hidden_act: ActivationName = "gelu_new"
    layer_norm_eps: float = 1e-5
    partial_rotary_factor: float = 0.5
    rope_theta: float = 10_000.0
    rope_scaling: dict[str, Any] | None = None
    qk_layernorm: bool = False
    tie_word_embeddings: bool = False


@register("phi", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build from ``model.*``, ``lm_head.bias`` and, unless tied, ``lm_head.weight``."""
    model, size = weights.under("model"), config.hidden_size
    shape = heads(size, config.num_attention_heads, config.num_key_value_heads)
    turn = rotary(
        shape.dim,
        config.rope_theta,
        config.rope_scaling,
        config.max_position_embeddings,
        config.partial_rotary_factor,
    )
    embedding = model.take("embed_tokens.weight", config.vocab_size, size)
    return _core.TransformerDecoder(
        _core.TransformerStack(
            embedding=_core.Embedding(embedding),
            max_positions=config.max_position_embeddings,
            layers=[
                layer(config, model.under(f"layers.{i}"), shape, turn)
                for i in range(config.num_hidden_layers)
            ],
            final_norm=layer_norm(model, "final_layernorm", size, config.layer_norm_eps),
        ),
        output_layer(weights, embedding, tied=config.tie_word_embeddings, bias=True),
    )


def layer(config: Config, w: Weights, shape: Heads, turn: _core.Rotary) -> _core.TransformerLayer:
    """Build one layer."""
    size, eps, attention = config.hidden_size, config.layer_norm_eps, w.under("self_attn")
    norm = _core.BlockNorm(before=layer_norm(w, "input_layernorm", size, eps))
    query_norm, key_norm = (
        layer_norm(attention, f"{name}_layernorm", shape.dim, eps) if config.qk_layernorm else None
        for name in ("q", "k")
    )
    return _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            **separate_qkv(attention, size, shape, bias=True),
            output=attention.linear("dense", size, size, bias=True),
            rotary=turn,
            query_norm=query_norm,
            key_norm=key_norm,
        ),
        self_attention_norm=norm,
        feed_forward=feed_forward(
            w.under("mlp"),
            ("fc1", "fc2"),
            (size, config.intermediate_size),
            config.hidden_act,
            bias=True,
        ),
        feed_forward_norm=norm,
        parallel=True,
    )
