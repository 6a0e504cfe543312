"""StableLM: layer norms, partial rotary positions, gated feed-forward (Bellagente et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attnengine import _core
from attnengine.models.decoders import neox_like as shared
from attnengine.models.parts.attention import Heads, heads, separate_qkv
from attnengine.models.parts.blocks import ActivationName, gated_feed_forward, layer_norm
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True, kw_only=True)
class Config(shared.Config):
    """Keys of Hugging Face's ``StableLmConfig``."""

    num_key_value_heads: int
    hidden_act: ActivationName = "silu"
    layer_norm_eps: float = 1e-5
    partial_rotary_factor: float = 0.25
    use_qkv_bias: bool = False
    qk_layernorm: bool = False
    use_parallel_residual: bool = False


@register("stablelm", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build from ``model.*`` and, unless tied, ``lm_head.weight``."""
    model, size = weights.under("model"), config.hidden_size
    shape = heads(size, config.num_attention_heads, config.num_key_value_heads)
    turn = shared.rotary(config, shape, config.partial_rotary_factor)
    return shared.decoder(
        config,
        weights,
        model,
        lambda _, w: layer(config, w, shape, turn),
        layer_norm(model, "norm", size, config.layer_norm_eps),
    )


def layer(config: Config, w: Weights, shape: Heads, turn: _core.Rotary) -> _core.TransformerLayer:
    """Build one layer; parallel blocks share a norm."""
    size, eps, attention = config.hidden_size, config.layer_norm_eps, w.under("self_attn")
    parallel = config.use_parallel_residual
    before = layer_norm(w, "input_layernorm", size, eps)
    between = before if parallel else layer_norm(w, "post_attention_layernorm", size, eps)
    return _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            **separate_qkv(attention, size, shape, bias=config.use_qkv_bias),
            output=attention.linear("o_proj", size, size, bias=False),
            rotary=turn,
            query_norm=head_norm(config, attention, "q_layernorm", shape.count, shape.dim),
            key_norm=head_norm(config, attention, "k_layernorm", shape.kv_count, shape.dim),
        ),
        self_attention_norm=_core.BlockNorm(before=before),
        feed_forward=gated_feed_forward(
            w.under("mlp"), size, config.intermediate_size, config.hidden_act
        ),
        feed_forward_norm=_core.BlockNorm(before=between),
        parallel=parallel,
    )


def head_norm(
    config: Config, w: Weights, name: str, count: int, dim: int
) -> _core.PerHeadLayerNorm | None:
    """Build the norm of queries or keys, with separate weights for each head."""
    if not config.qk_layernorm:
        return None
    weight = np.stack([w.take(f"{name}.norms.{head}.weight", dim) for head in range(count)])
    return _core.PerHeadLayerNorm(weight, eps=config.layer_norm_eps)
