"""StarCoder2: layer norms with biases, rotary positions, a sliding window (Lozhkov et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.decoders import neox_like as shared
from attnengine.models.parts.attention import Heads, heads, separate_qkv
from attnengine.models.parts.blocks import ActivationName, feed_forward, layer_norm
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True, kw_only=True)
class Config(shared.Config):
    """Keys of Hugging Face's ``Starcoder2Config``."""

    num_key_value_heads: int
    head_dim: int | None = None
    hidden_act: ActivationName = "gelu_pytorch_tanh"
    norm_epsilon: float = 1e-5
    sliding_window: int | None = None
    use_bias: bool = True
    tie_word_embeddings: bool = True


@register("starcoder2", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build from ``model.*`` and, unless tied, ``lm_head.weight``."""
    model, size = weights.under("model"), config.hidden_size
    shape = heads(size, config.num_attention_heads, config.num_key_value_heads, config.head_dim)
    turn = shared.rotary(config, shape)
    return shared.decoder(
        config,
        weights,
        model,
        lambda _, w: layer(config, w, shape, turn),
        layer_norm(model, "norm", size, config.norm_epsilon),
    )


def layer(config: Config, w: Weights, shape: Heads, turn: _core.Rotary) -> _core.TransformerLayer:
    """Build one layer."""
    size, bias, attention = config.hidden_size, config.use_bias, w.under("self_attn")
    before = layer_norm(w, "input_layernorm", size, config.norm_epsilon)
    between = layer_norm(w, "post_attention_layernorm", size, config.norm_epsilon)
    return _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            **separate_qkv(attention, size, shape, bias=bias),
            output=attention.linear("o_proj", size, shape.size, bias=bias),
            rotary=turn,
            window=config.sliding_window or 0,
        ),
        self_attention_norm=_core.BlockNorm(before=before),
        feed_forward=feed_forward(
            w.under("mlp"),
            ("c_fc", "c_proj"),
            (size, config.intermediate_size),
            config.hidden_act,
            bias=bias,
        ),
        feed_forward_norm=_core.BlockNorm(before=between),
    )
