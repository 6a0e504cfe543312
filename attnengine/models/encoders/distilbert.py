"""DistilBERT: BERT without token types, with other weight names (Sanh et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
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

_EPS = 1e-12


@dataclass(frozen=True)
class Config:
    """Keys of Hugging Face's ``DistilBertConfig``."""

    vocab_size: int
    dim: int
    hidden_dim: int
    n_layers: int
    n_heads: int
    max_position_embeddings: int
    activation: ActivationName = "gelu"


@register("distilbert", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerEncoder:
    """Build from ``distilbert.*``; the file holds sinusoidal positions like learned ones."""
    check_heads(config.n_heads, config.dim, "n_heads")
    model = weights.under("distilbert")
    embeddings, size = model.under("embeddings"), config.dim
    words = embeddings.matrix("word_embeddings.weight", config.vocab_size, size)
    table = embeddings.take("position_embeddings.weight", config.max_position_embeddings, size)
    return _core.TransformerEncoder(
        _core.TransformerStack(
            embedding=embedding(weights, words),
            max_positions=config.max_position_embeddings,
            positions=table,
            embedding_norm=layer_norm(embeddings, "LayerNorm", size, _EPS),
            layers=[
                layer(config, model.under(f"transformer.layer.{i}")) for i in range(config.n_layers)
            ],
        )
    )


def layer(config: Config, w: Weights) -> _core.TransformerLayer:
    """Build one layer."""
    size, wide = config.dim, config.hidden_dim
    heads = w.under("attention")
    return _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            query_key_value=fused(
                heads, [("q_lin", size), ("k_lin", size), ("v_lin", size)], size, bias=True
            ),
            output=heads.linear("out_lin", size, size, bias=True),
            num_heads=config.n_heads,
        ),
        self_attention_norm=_core.BlockNorm(after=layer_norm(w, "sa_layer_norm", size, _EPS)),
        feed_forward=_core.FeedForward(
            up=w.linear("ffn.lin1", wide, size, bias=True),
            down=w.linear("ffn.lin2", size, wide, bias=True),
            activation=activation(config.activation),
        ),
        feed_forward_norm=_core.BlockNorm(after=layer_norm(w, "output_layer_norm", size, _EPS)),
    )
