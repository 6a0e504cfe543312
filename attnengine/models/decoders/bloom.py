"""BLOOM: ALiBi instead of positions, a norm after the embedding (BigScience 2022)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.parts.attention import Heads, alibi, grouped_qkv, heads
from attnengine.models.parts.blocks import feed_forward, layer_norm
from attnengine.models.parts.vocabulary import with_head
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config:
    """Keys of Hugging Face's ``BloomConfig``."""

    vocab_size: int
    hidden_size: int
    n_layer: int
    n_head: int
    layer_norm_epsilon: float = 1e-5
    tie_word_embeddings: bool = True


@register("bloom", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build from ``transformer.*`` and, unless tied, ``lm_head.weight``."""
    model, size, eps = weights.under("transformer"), config.hidden_size, config.layer_norm_epsilon
    shape = heads(size, config.n_head, key="n_head")
    bias = alibi(config.n_head)
    table = model.matrix("word_embeddings.weight", config.vocab_size, size)
    embedding, output = with_head(weights, table, tied=config.tie_word_embeddings)
    return _core.TransformerDecoder(
        _core.TransformerStack(
            embedding=embedding,
            max_positions=0,
            embedding_norm=layer_norm(model, "word_embeddings_layernorm", size, eps),
            layers=[
                layer(config, model.under(f"h.{i}"), shape, bias) for i in range(config.n_layer)
            ],
            final_norm=layer_norm(model, "ln_f", size, eps),
        ),
        output,
        settings=weights.settings,
    )


def layer(
    config: Config, w: Weights, shape: Heads, bias: _core.PositionBias
) -> _core.TransformerLayer:
    """Build one layer."""
    size, eps, attention = config.hidden_size, config.layer_norm_epsilon, w.under("self_attention")
    return _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            **grouped_qkv(attention, "query_key_value", size, shape, bias=True),
            output=attention.linear("dense", size, size, bias=True),
            position_bias=bias,
        ),
        self_attention_norm=_core.BlockNorm(before=layer_norm(w, "input_layernorm", size, eps)),
        feed_forward=feed_forward(
            w.under("mlp"),
            ("dense_h_to_4h", "dense_4h_to_h"),
            (size, 4 * size),
            "gelu_pytorch_tanh",
            bias=True,
        ),
        feed_forward_norm=_core.BlockNorm(
            before=layer_norm(w, "post_attention_layernorm", size, eps)
        ),
    )
