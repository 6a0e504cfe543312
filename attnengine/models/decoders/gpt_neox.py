"""GPT-NeoX and Pythia: parallel blocks, partial rotary positions (Black et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from attnengine import _core
from attnengine.models.decoders import neox_like as shared
from attnengine.models.parts.attention import Heads, grouped_qkv, heads
from attnengine.models.parts.blocks import ActivationName, feed_forward, layer_norm
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(shared.Config):
    """Keys of Hugging Face's ``GPTNeoXConfig``."""

    embedding: ClassVar[str] = "embed_in"
    layer_norm_eps: float = 1e-5
    hidden_act: ActivationName = "gelu"
    partial_rotary_factor: float = 0.25
    use_parallel_residual: bool = True
    attention_bias: bool = True


@register("gpt_neox", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build from ``gpt_neox.*`` and, unless tied, ``lm_head.weight``."""
    model, size = weights.under("gpt_neox"), config.hidden_size
    shape = heads(size, config.num_attention_heads)
    turn = shared.rotary(config, shape, config.partial_rotary_factor)
    return shared.decoder(
        config,
        weights,
        model,
        lambda _, w: layer(config, w, shape, turn),
        layer_norm(model, "final_layer_norm", size, config.layer_norm_eps),
    )


def layer(config: Config, w: Weights, shape: Heads, turn: _core.Rotary) -> _core.TransformerLayer:
    """Build one layer."""
    size, bias = config.hidden_size, config.attention_bias
    before = layer_norm(w, "input_layernorm", size, config.layer_norm_eps)
    between = layer_norm(w, "post_attention_layernorm", size, config.layer_norm_eps)
    return _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            **grouped_qkv(w, "attention.query_key_value", size, shape, bias=bias),
            output=w.linear("attention.dense", size, size, bias=bias),
            rotary=turn,
        ),
        self_attention_norm=_core.BlockNorm(before=before),
        feed_forward=feed_forward(
            w.under("mlp"),
            ("dense_h_to_4h", "dense_4h_to_h"),
            (size, config.intermediate_size),
            config.hidden_act,
            bias=True,
        ),
        feed_forward_norm=_core.BlockNorm(before=between),
        parallel=config.use_parallel_residual,
    )
