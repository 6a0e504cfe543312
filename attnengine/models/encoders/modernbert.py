"""ModernBERT: pre-norm, rotary positions, windows in most layers (Warner et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.parts.blocks import ActivationName, activation, check_heads, layer_norm
from attnengine.models.parts.rotary import rotary
from attnengine.models.parts.vocabulary import embedding
from attnengine.models.registry import register
from attnengine.models.weights import Weights

_GLOBAL, _LOCAL = "full_attention", "sliding_attention"


@dataclass(frozen=True)
class Config:
    """Keys of Hugging Face's ``ModernBertConfig``."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int
    layer_types: tuple[str, ...]
    local_attention: int = 128
    global_rope_theta: float = 160_000.0
    local_rope_theta: float = 10_000.0
    norm_eps: float = 1e-5
    norm_bias: bool = False
    attention_bias: bool = False
    mlp_bias: bool = False
    hidden_activation: ActivationName = "gelu"


@register("modernbert", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerEncoder:
    """Build from ``model.*``."""
    check(config)
    dim = config.hidden_size // config.num_attention_heads
    turns = {
        _GLOBAL: rotary(dim, config.global_rope_theta, None, config.max_position_embeddings),
        _LOCAL: rotary(dim, config.local_rope_theta, None, config.max_position_embeddings),
    }
    model, size = weights.under("model"), config.hidden_size
    words = model.matrix("embeddings.tok_embeddings.weight", config.vocab_size, size)
    return _core.TransformerEncoder(
        _core.TransformerStack(
            embedding=embedding(weights, words),
            max_positions=config.max_position_embeddings,
            embedding_norm=norm(config, model, "embeddings.norm"),
            layers=[
                layer(config, model.under(f"layers.{i}"), i, turns[kind])
                for i, kind in enumerate(config.layer_types)
            ],
            final_norm=norm(config, model, "final_norm"),
        )
    )


def check(config: Config) -> None:
    """Raise FormatError for keys that contradict each other."""
    check_heads(config.num_attention_heads, config.hidden_size)
    kinds = config.layer_types
    if len(kinds) != config.num_hidden_layers or not {*kinds} <= {_GLOBAL, _LOCAL}:
        raise FormatError(
            f"config: 'layer_types' is {[*kinds]!r:.200}, expected {config.num_hidden_layers} "
            f"times {_GLOBAL!r} or {_LOCAL!r}"
        )


def layer(config: Config, w: Weights, index: int, turn: _core.Rotary) -> _core.TransformerLayer:
    """Build one layer; the first has no norm before attention, because the embedding has one."""
    size, wide = config.hidden_size, config.intermediate_size
    local = config.layer_types[index] == _LOCAL
    return _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            query_key_value=w.linear("attn.Wqkv", 3 * size, size, bias=config.attention_bias),
            output=w.linear("attn.Wo", size, size, bias=config.attention_bias),
            num_heads=config.num_attention_heads,
            rotary=turn,
            window=config.local_attention // 2 if local else 0,
        ),
        self_attention_norm=_core.BlockNorm(before=norm(config, w, "attn_norm") if index else None),
        feed_forward=_core.FeedForward(
            up=w.linear("mlp.Wi", 2 * wide, size, bias=config.mlp_bias),
            down=w.linear("mlp.Wo", size, wide, bias=config.mlp_bias),
            activation=activation(config.hidden_activation),
            gated=True,
        ),
        feed_forward_norm=_core.BlockNorm(before=norm(config, w, "mlp_norm")),
    )


def norm(config: Config, w: Weights, name: str) -> _core.LayerNorm:
    """Build a layer norm."""
    return layer_norm(w, name, config.hidden_size, config.norm_eps, bias=config.norm_bias)
