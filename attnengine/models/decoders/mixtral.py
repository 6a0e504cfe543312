"""Mixtral: Mistral with experts; a router chooses a few for each token (Jiang et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.models.decoders import llama_like as shared
from attnengine.models.decoders import mistral
from attnengine.models.parts.blocks import activation, fused
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(mistral.Config):
    """Keys of Hugging Face's ``MixtralConfig``."""

    num_local_experts: int = 8
    num_experts_per_tok: int = 2


@register("mixtral", config=Config)
def build(config: Config, weights: Weights) -> _core.TransformerDecoder:
    """Build a decoder with the same window in every layer."""
    rotary, window = shared.rotary(config), config.sliding_window or 0

    def layer(i: int, w: Weights) -> _core.TransformerLayer:
        attention = shared.attention(config, w, rotary=rotary, window=window)
        return shared.pre_norm_layer(config, w, attention, feed_forward(config, w))

    return shared.decoder(config, weights, layer)


def feed_forward(config: Config, w: Weights) -> _core.Experts:
    """Build from ``mlp.*``, with stacked experts, or from ``block_sparse_moe.*``.

    The model in version 5 of transformers has the first names; saved files have the second.
    """
    stacked = "mlp.experts.gate_up_proj" in w
    w = w.under("mlp" if stacked else "block_sparse_moe")
    count, size = config.num_local_experts, config.hidden_size
    return _core.Experts(
        # float32, because a small error could choose another expert
        router=w.linear("gate", count, size, bias=False, precision="float32"),
        experts=stacked_experts(config, w) if stacked else separate_experts(config, w),
        experts_per_token=config.num_experts_per_tok,
    )


def stacked_experts(config: Config, w: Weights) -> list[_core.FeedForward]:
    """Build experts from a tensor of gate and up projections, and one of down projections."""
    count, size, wide = config.num_local_experts, config.hidden_size, config.intermediate_size
    up = w.rows("experts.gate_up_proj", count, 2 * wide, size)
    down = w.rows("experts.down_proj", count, size, wide)
    return [
        expert(config, w.pack(up(i, i + 1)[0]), w.pack(down(i, i + 1)[0])) for i in range(count)
    ]


def separate_experts(config: Config, w: Weights) -> list[_core.FeedForward]:
    """Build experts from a gate w1, an up projection w3 and a down projection w2 each."""
    size, wide = config.hidden_size, config.intermediate_size

    def build(part: Weights) -> _core.FeedForward:
        up = fused(part, [("w1", wide), ("w3", wide)], size, bias=False)
        return expert(config, up, part.linear("w2", size, wide, bias=False))

    return [build(w.under(f"experts.{i}")) for i in range(config.num_local_experts)]


def expert(config: Config, up: _core.Linear, down: _core.Linear) -> _core.FeedForward:
    """Build one gated feed-forward network."""
    act = activation(config.hidden_act)
    return _core.FeedForward(up=up, down=down, activation=act, gated=True)
