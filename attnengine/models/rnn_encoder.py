"""RNN encoder: embedding and a stack of layers in one or both directions, with pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from attnengine import _core
from attnengine.models.registry import Weights, register
from attnengine.models.rnn import CellConfig, encoder_layers


@dataclass(frozen=True)
class Config(CellConfig):
    """Sizes and switches; ``hidden_size`` is that of one direction."""

    vocab_size: int
    embedding_size: int
    hidden_size: int
    num_layers: int
    bidirectional: bool
    pooling: Literal["mean", "max", "last", "first", "attention"]


@register("rnn_encoder", config=Config)
def build(config: Config, weights: Weights) -> _core.RnnEncoder:
    """Build from ``embedding.weight``, ``rnn.*`` and, to pool by attention, ``pooling.query``."""
    width = config.output_size(config.hidden_size) * (2 if config.bidirectional else 1)
    by_attention = config.pooling == "attention"
    return _core.RnnEncoder(
        embedding=_core.Embedding(
            weights.take("embedding.weight", config.vocab_size, config.embedding_size)
        ),
        layers=encoder_layers(
            config,
            weights.under("rnn"),
            config.embedding_size,
            config.hidden_size,
            config.num_layers,
            bidirectional=config.bidirectional,
        ),
        pooling_query=weights.take("pooling.query", width) if by_attention else None,
    )
