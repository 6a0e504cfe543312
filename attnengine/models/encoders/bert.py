"""BERT: a post-norm encoder with learned positions (Devlin et al. 2019), and its variants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attnengine import _core
from attnengine.models.matrix import Floats
from attnengine.models.parts.blocks import (
    ActivationName,
    activation,
    check_heads,
    fused,
    layer_norm,
)
from attnengine.models.parts.vocabulary import embedding
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config:
    """Keys of Hugging Face's ``BertConfig``."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int
    type_vocab_size: int
    layer_norm_eps: float = 1e-12
    hidden_act: ActivationName = "gelu"


@register("bert", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerEncoder:
    """Build from ``bert.*``; all tokens have type 0, because a text is one segment."""
    return build_encoder(config, weights.under("bert"), config.hidden_size)


def build_encoder(
    config: Config, w: Weights, embedding_size: int, *, first_position: int = 0
) -> _core.TransformerEncoder:
    """Build an encoder like BERT; ``first_position`` is the first token's row of positions."""
    embeddings = w.under("embeddings")
    words = embeddings.matrix("word_embeddings.weight", config.vocab_size, embedding_size)
    table = positions(config, embeddings, embedding_size)[first_position:]
    projected = embedding_size != config.hidden_size
    return _core.TransformerEncoder(
        _core.TransformerStack(
            embedding=embedding(w, words),
            max_positions=len(table),
            positions=table,
            embedding_norm=layer_norm(
                embeddings, "LayerNorm", embedding_size, config.layer_norm_eps
            ),
            projection=w.linear("embeddings_project", config.hidden_size, embedding_size)
            if projected
            else None,
            layers=[
                layer(config, w.under(f"encoder.layer.{i}"))
                for i in range(config.num_hidden_layers)
            ],
        )
    )


def positions(config: Config, embeddings: Weights, size: int) -> Floats:
    """Positions plus the embedding of token type 0, (max_position_embeddings, size)."""
    table = embeddings.take("position_embeddings.weight", config.max_position_embeddings, size)
    types = embeddings.take("token_type_embeddings.weight", config.type_vocab_size, size)
    return np.ascontiguousarray(table + types[0])


def layer(config: Config, w: Weights) -> _core.TransformerLayer:
    """Build one layer."""
    check_heads(config.num_attention_heads, config.hidden_size)
    size, wide = config.hidden_size, config.intermediate_size
    attention, eps = w.under("attention"), config.layer_norm_eps
    heads = attention.under("self")
    return _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            query_key_value=fused(
                heads, [("query", size), ("key", size), ("value", size)], size, bias=True
            ),
            output=attention.linear("output.dense", size, size, bias=True),
            num_heads=config.num_attention_heads,
        ),
        self_attention_norm=_core.BlockNorm(
            after=layer_norm(attention, "output.LayerNorm", size, eps)
        ),
        feed_forward=_core.FeedForward(
            up=w.linear("intermediate.dense", wide, size, bias=True),
            down=w.linear("output.dense", size, wide, bias=True),
            activation=activation(config.hidden_act),
        ),
        feed_forward_norm=_core.BlockNorm(after=layer_norm(w, "output.LayerNorm", size, eps)),
    )
