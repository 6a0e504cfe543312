"""GPT-J: parallel attention and feed-forward after one norm (Wang and Komatsuzaki 2021)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.parts.attention import Heads, heads, separate_qkv
from attnengine.models.parts.blocks import ActivationName, feed_forward, layer_norm
from attnengine.models.parts.rotary import rotary
from attnengine.models.parts.vocabulary import with_head
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config:
    """Keys of Hugging Face's ``GPTJConfig``."""

    vocab_size: int
    n_embd: int
    n_layer: int
    n_head: int
    n_positions: int
    rotary_dim: int
    n_inner: int | None = None
    layer_norm_epsilon: float = 1e-5
    activation_function: ActivationName = "gelu_new"
    tie_word_embeddings: bool = False


@register("gptj", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build from ``transformer.*``, ``lm_head.bias`` and, unless tied, ``lm_head.weight``."""
    model, size = weights.under("transformer"), config.n_embd
    shape = heads(size, config.n_head, key="n_head")
    if config.rotary_dim > shape.dim:
        raise FormatError(
            f"config: 'rotary_dim' is {config.rotary_dim}, expected at most {shape.dim}, "
            "the size of a head"
        )
    turn = rotary(config.rotary_dim, 10_000.0, None, config.n_positions)
    table = model.matrix("wte.weight", config.vocab_size, size)
    embedding, output = with_head(weights, table, tied=config.tie_word_embeddings, bias=True)
    return _core.TransformerDecoder(
        _core.TransformerStack(
            embedding=embedding,
            max_positions=config.n_positions,
            layers=[
                layer(config, model.under(f"h.{i}"), shape, turn) for i in range(config.n_layer)
            ],
            final_norm=layer_norm(model, "ln_f", size, config.layer_norm_epsilon),
        ),
        output,
        settings=weights.settings,
    )


def layer(config: Config, w: Weights, shape: Heads, turn: _core.Rotary) -> _core.TransformerLayer:
    """Build one layer."""
    size, attention = config.n_embd, w.under("attn")
    norm = _core.BlockNorm(before=layer_norm(w, "ln_1", size, config.layer_norm_epsilon))
    return _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            **separate_qkv(attention, size, shape, bias=False, neighbours=config.rotary_dim),
            output=attention.linear("out_proj", size, size, bias=False),
            rotary=turn,
        ),
        self_attention_norm=norm,
        feed_forward=feed_forward(
            w.under("mlp"),
            ("fc_in", "fc_out"),
            (size, config.n_inner or 4 * size),
            config.activation_function,
            bias=True,
        ),
        feed_forward_norm=norm,
        parallel=True,
    )
