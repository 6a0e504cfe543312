"""MPT: ALiBi, no biases anywhere (MosaicML 2023)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.parts.attention import Heads, alibi, heads
from attnengine.models.parts.blocks import feed_forward, layer_norm
from attnengine.models.parts.vocabulary import with_head
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config:
    """Keys of Hugging Face's ``MptConfig`` and, from ``alibi_bias_max`` on, of its ``attn_config``.

    ``alibi_bias_max`` has its value as in MosaicML's code; transformers always uses 8.
    """

    vocab_size: int
    d_model: int
    n_heads: int
    n_layers: int
    max_seq_len: int
    expansion_ratio: int = 4
    layer_norm_epsilon: float = 1e-5
    tie_word_embeddings: bool = True
    alibi_bias_max: int = 8
    clip_qkv: float | None = None
    softmax_scale: float | None = None


@register("mpt", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build from ``transformer.*`` and, unless tied, ``lm_head.weight``."""
    model, size = weights.under("transformer"), config.d_model
    shape = heads(size, config.n_heads, key="n_heads")
    bias = alibi(config.n_heads, config.alibi_bias_max)
    table = model.matrix("wte.weight", config.vocab_size, size)
    embedding, output = with_head(weights, table, tied=config.tie_word_embeddings)
    return _core.TransformerDecoder(
        _core.TransformerStack(
            embedding=embedding,
            max_positions=config.max_seq_len,
            layers=[
                layer(config, model.under(f"blocks.{i}"), shape, bias)
                for i in range(config.n_layers)
            ],
            final_norm=norm(config, model, "norm_f"),
        ),
        output,
        settings=weights.settings,
    )


def layer(
    config: Config, w: Weights, shape: Heads, bias: _core.PositionBias
) -> _core.TransformerLayer:
    """Build one layer; one matrix holds queries, keys and values."""
    size = config.d_model
    return _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            query_key_value=w.linear("attn.Wqkv", 3 * size, size, bias=False),
            output=w.linear("attn.out_proj", size, size, bias=False),
            num_heads=shape.count,
            scale=config.softmax_scale,
            clip=config.clip_qkv or 0.0,
            position_bias=bias,
        ),
        self_attention_norm=_core.BlockNorm(before=norm(config, w, "norm_1")),
        feed_forward=feed_forward(
            w.under("ffn"),
            ("up_proj", "down_proj"),
            (size, config.expansion_ratio * size),
            "gelu",
            bias=False,
        ),
        feed_forward_norm=_core.BlockNorm(before=norm(config, w, "norm_2")),
    )


def norm(config: Config, w: Weights, name: str) -> _core.LayerNorm:
    """Build a layer norm."""
    return layer_norm(w, name, config.d_model, config.layer_norm_epsilon, bias=False)
