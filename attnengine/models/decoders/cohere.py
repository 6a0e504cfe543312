"""Cohere's Command R: parallel attention and gated feed-forward after one norm (2024)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.decoders import neox_like as shared
from attnengine.models.parts.attention import Heads, heads, separate_qkv
from attnengine.models.parts.blocks import ActivationName, gated_feed_forward, layer_norm
from attnengine.models.parts.rotary import halves
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(shared.Config):
    """Keys of Hugging Face's ``CohereConfig``."""

    num_key_value_heads: int | None = None
    head_dim: int | None = None
    hidden_act: ActivationName = "silu"
    layer_norm_eps: float = 1e-5
    logit_scale: float = 0.0625
    rope_theta: float = 500_000.0
    attention_bias: bool = False
    use_qk_norm: bool = False
    tie_word_embeddings: bool = True

    def window(self, layer: int) -> int | None:
        """Positions that a layer sees, 0 for all; None: all, without rotary positions."""
        return 0


@register("cohere", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build from ``model.*`` and, unless tied, ``lm_head.weight``."""
    return build_decoder(config, weights)


def build_decoder(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build a decoder like Cohere's, for families that differ in their config alone."""
    model, size = weights.under("model"), config.hidden_size
    shape = heads(size, config.num_attention_heads, config.num_key_value_heads, config.head_dim)
    turn = shared.rotary(config, shape)
    return shared.decoder(
        config,
        weights,
        model,
        lambda i, w: layer(config, w, shape, turn, config.window(i)),
        layer_norm(model, "norm", size, config.layer_norm_eps, bias=False),
        logit_scale=config.logit_scale,
    )


def layer(
    config: Config, w: Weights, shape: Heads, turn: _core.Rotary, window: int | None
) -> _core.TransformerLayer:
    """Build one layer."""
    size, bias, attention = config.hidden_size, config.attention_bias, w.under("self_attn")
    before = layer_norm(w, "input_layernorm", size, config.layer_norm_eps, bias=False)
    norm = _core.BlockNorm(before=before)
    return _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            **separate_qkv(attention, size, shape, bias=bias, neighbours=shape.dim),
            output=attention.linear("o_proj", size, shape.size, bias=bias),
            rotary=None if window is None else turn,
            window=window or 0,
            query_norm=head_norm(config, attention, "q_norm", shape.count, shape.dim),
            key_norm=head_norm(config, attention, "k_norm", shape.kv_count, shape.dim),
        ),
        self_attention_norm=norm,
        feed_forward=gated_feed_forward(
            w.under("mlp"), size, config.intermediate_size, config.hidden_act
        ),
        feed_forward_norm=norm,
        parallel=True,
    )


def head_norm(
    config: Config, w: Weights, name: str, count: int, dim: int
) -> _core.PerHeadLayerNorm | None:
    """Build the norm of queries or keys; its weights are reordered like the projection's rows."""
    if not config.use_qk_norm:
        return None
    weight = halves(w.take(f"{name}.weight", count, dim).reshape(-1), count)
    return _core.PerHeadLayerNorm(weight.reshape(count, dim), eps=config.layer_norm_eps)
