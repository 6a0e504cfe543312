"""OPT: learned positions, pre-norm; the 350 million model is post-norm (Zhang et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attnengine import _core
from attnengine.models.matrix import Matrix
from attnengine.models.parts.attention import Heads, heads, separate_qkv
from attnengine.models.parts.blocks import ActivationName, feed_forward, layer_norm
from attnengine.models.parts.vocabulary import vocabulary_layers
from attnengine.models.registry import register
from attnengine.models.weights import Weights

OFFSET = 2  # row of the first token's position
EPSILON = 1e-5


@dataclass(frozen=True)
class Config:
    """Keys of Hugging Face's ``OPTConfig``."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    ffn_dim: int
    max_position_embeddings: int
    word_embed_proj_dim: int | None = None  # size of the embedding; null: hidden_size
    do_layer_norm_before: bool = True
    enable_bias: bool = True
    layer_norm_elementwise_affine: bool = True
    activation_function: ActivationName = "relu"
    tie_word_embeddings: bool = True


@register("opt", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build from ``model.decoder.*`` and, unless tied, ``lm_head.weight``."""
    model, size = weights.under("model.decoder"), config.hidden_size
    shape = heads(size, config.num_attention_heads)
    embedding, output = embeddings(config, model, weights)
    positions = model.take("embed_positions.weight", config.max_position_embeddings + OFFSET, size)
    return _core.TransformerDecoder(
        _core.TransformerStack(
            embedding=embedding,
            max_positions=config.max_position_embeddings,
            positions=positions[OFFSET:],
            layers=[
                layer(config, model.under(f"layers.{i}"), shape)
                for i in range(config.num_hidden_layers)
            ],
            final_norm=norm(config, model, "final_layer_norm")
            if config.do_layer_norm_before
            else None,
        ),
        output,
        settings=weights.settings,
    )


def embeddings(
    config: Config, model: Weights, weights: Weights
) -> tuple[_core.Embedding, _core.Linear]:
    """Return embedding and output layer, (vocab_size, hidden_size) each.

    If the checkpoint's have another size, they are multiplied by its projections.
    """
    size, narrow = config.hidden_size, config.word_embed_proj_dim or config.hidden_size
    embedding = model.matrix("embed_tokens.weight", config.vocab_size, narrow)
    tied, shape = config.tie_word_embeddings, (config.vocab_size, size)
    output = None if tied else weights.matrix("lm_head.weight", *embedding.shape)
    if narrow == size:
        return vocabulary_layers(weights, embedding, output)
    into = model.take("project_in.weight", size, narrow)
    out_of = model.take("project_out.weight", narrow, size)
    return vocabulary_layers(
        weights,
        Matrix.of(shape, lambda: embedding.read() @ into.T),
        Matrix.of(shape, lambda: (output or embedding).read() @ out_of),
    )


def layer(config: Config, w: Weights, shape: Heads) -> _core.TransformerLayer:
    """Build one layer."""
    size, bias, attention = config.hidden_size, config.enable_bias, w.under("self_attn")
    place = "before" if config.do_layer_norm_before else "after"
    return _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            **separate_qkv(attention, size, shape, bias=bias),
            output=attention.linear("out_proj", size, size, bias=bias),
        ),
        self_attention_norm=_core.BlockNorm(**{place: norm(config, w, "self_attn_layer_norm")}),
        feed_forward=feed_forward(
            w, ("fc1", "fc2"), (size, config.ffn_dim), config.activation_function, bias=bias
        ),
        feed_forward_norm=_core.BlockNorm(**{place: norm(config, w, "final_layer_norm")}),
    )


def norm(config: Config, w: Weights, name: str) -> _core.LayerNorm:
    """Build a layer norm; without weights in the checkpoint they are ones."""
    if config.layer_norm_elementwise_affine:
        return layer_norm(w, name, config.hidden_size, EPSILON)
    return _core.LayerNorm(np.ones(config.hidden_size, np.float32), None, eps=EPSILON)
