"""Llama: pre-norm decoder, RMS norm, rotary positions, gated feed-forward (Touvron et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.blocks import ActivationName, activation, fused
from attnengine.models.registry import Weights, register
from attnengine.models.rotary import rotary


@dataclass(frozen=True)
class Config:
    """Keys of Hugging Face's ``LlamaConfig``."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int
    rms_norm_eps: float
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    hidden_act: ActivationName = "silu"
    rope_theta: float = 10_000.0
    rope_scaling: dict[str, Any] | None = None
    tie_word_embeddings: bool = False
    attention_bias: bool = False
    mlp_bias: bool = False

    @property
    def query_bias(self) -> bool:
        """Whether queries, keys and values have biases."""
        return self.attention_bias

    @property
    def kv_heads(self) -> int:
        """Heads of keys and values."""
        return self.num_key_value_heads or self.num_attention_heads

    @property
    def dim(self) -> int:
        """Size of a head."""
        return self.head_dim or self.hidden_size // self.num_attention_heads


@register("llama", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build from ``model.*`` and, unless tied, ``lm_head.weight``."""
    return build_decoder(config, weights)


def build_decoder(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build a decoder of Llama's kind, for families that only differ in their config."""
    check(config)
    turn = rotary(
        config.dim, config.rope_theta, config.rope_scaling, config.max_position_embeddings
    )
    model = weights.under("model")
    shape = config.vocab_size, config.hidden_size
    embedding = model.take("embed_tokens.weight", *shape)
    tied = config.tie_word_embeddings
    return _core.TransformerDecoder(
        _core.TransformerStack(
            embedding=_core.Embedding(embedding),
            max_positions=config.max_position_embeddings,
            layers=[
                layer(config, model.under(f"layers.{i}"), turn)
                for i in range(config.num_hidden_layers)
            ],
            final_norm=norm(config, model, "norm"),
        ),
        _core.Linear(embedding if tied else weights.take("lm_head.weight", *shape)),
    )


def check(config: Config) -> None:
    """Raise FormatError for sizes that do not go together."""
    if config.num_attention_heads % config.kv_heads:
        raise FormatError(
            f"config: 'num_key_value_heads' is {config.kv_heads}, expected a divisor of "
            f"'num_attention_heads' {config.num_attention_heads}"
        )
    if config.head_dim is None and config.hidden_size % config.num_attention_heads:
        raise FormatError(
            f"config: 'num_attention_heads' is {config.num_attention_heads}, expected a divisor "
            f"of 'hidden_size' {config.hidden_size}"
        )


def layer(config: Config, w: Weights, turn: _core.Rotary) -> _core.TransformerLayer:
    """Build one layer."""
    size, wide = config.hidden_size, config.intermediate_size
    heads, keys = config.num_attention_heads * config.dim, config.kv_heads * config.dim
    attention, mlp = w.under("self_attn"), w.under("mlp")
    return _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            query=attention.linear("q_proj", heads, size, bias=config.query_bias),
            key_value=fused(
                attention, [("k_proj", keys), ("v_proj", keys)], size, bias=config.query_bias
            ),
            output=attention.linear("o_proj", size, heads, bias=config.attention_bias),
            num_heads=config.num_attention_heads,
            num_kv_heads=config.kv_heads,
            rotary=turn,
        ),
        self_attention_norm=_core.BlockNorm(before=norm(config, w, "input_layernorm")),
        feed_forward=_core.FeedForward(
            up=fused(mlp, [("gate_proj", wide), ("up_proj", wide)], size, bias=config.mlp_bias),
            down=mlp.linear("down_proj", size, wide, bias=config.mlp_bias),
            activation=activation(config.hidden_act),
            gated=True,
        ),
        feed_forward_norm=_core.BlockNorm(before=norm(config, w, "post_attention_layernorm")),
    )


def norm(config: Config, w: Weights, name: str) -> _core.RMSNorm:
    """Build an RMS norm."""
    return _core.RMSNorm(w.take(f"{name}.weight", config.hidden_size), eps=config.rms_norm_eps)
