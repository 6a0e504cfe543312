"""RNN encoder: embedding and a stack of layers in one or both directions, with pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from attnengine import _core
from attnengine.models.parts.rnn_cells import CellConfig, StackOptions, encoder_layers
from attnengine.models.parts.vocabulary import embedding
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True, kw_only=True)
class Config(CellConfig):
    """Sizes and switches; ``hidden_size`` is the size of one direction."""

    vocab_size: int
    embedding_size: int
    hidden_size: int
    num_layers: int
    bidirectional: bool
    separate_directions: bool = False
    skip_connections: bool = False
    states: Literal["top", "all"] = "top"
    pooling: Literal["mean", "max", "last", "first", "attention"]

    @property
    def states_size(self) -> int:
        """Size of an encoder state."""
        layer = self.output_size(self.hidden_size) * (2 if self.bidirectional else 1)
        return layer if self.states == "top" else self.embedding_size + self.num_layers * layer


@register("rnn_encoder", config=Config)
def build(config: Config, weights: Weights) -> _core.RnnEncoder:
    """Build from the config and the weights below."""
    return encoder(config, weights)


def encoder(config: Config, weights: Weights) -> _core.RnnEncoder:
    """Build from ``embedding.weight``, ``rnn.*`` and, to pool by attention, ``pooling.query``."""
    by_attention = config.pooling == "attention"
    return _core.RnnEncoder(
        embedding=embedding(
            weights, weights.matrix("embedding.weight", config.vocab_size, config.embedding_size)
        ),
        layers=encoder_layers(
            config,
            weights.under("rnn"),
            config.embedding_size,
            config.hidden_size,
            StackOptions(
                config.num_layers,
                config.bidirectional,
                separate=config.separate_directions,
                skip=config.skip_connections,
            ),
        ),
        pooling_query=weights.take("pooling.query", config.states_size) if by_attention else None,
        all_states=config.states == "all",
    )
