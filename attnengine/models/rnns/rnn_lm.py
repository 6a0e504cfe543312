"""RNN language model: embedding, a stack of cells, output projection (Mikolov et al. 2010)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.parts.rnn_cells import CellConfig, stack
from attnengine.models.parts.vocabulary import vocabulary_layers
from attnengine.models.registry import register
from attnengine.models.weights import Weights


@dataclass(frozen=True)
class Config(CellConfig):
    """Sizes and switches."""

    vocab_size: int
    embedding_size: int
    hidden_size: int
    num_layers: int
    tied_output: bool
    max_positions: None  # an RNN takes any length


@register("rnn_lm", config=Config)
def build(config: Config, weights: Weights) -> _core.RnnDecoder:
    """Build from ``embedding.weight``, ``rnn.*`` and ``output.*``."""
    state_size = config.output_size(config.hidden_size)
    if config.tied_output and config.embedding_size != state_size:
        key = "projection_size" if config.projection_size else "hidden_size"
        raise FormatError(
            f"config: 'tied_output' is true with 'embedding_size' {config.embedding_size} and "
            f"{key!r} {state_size}, expected equal sizes"
        )
    size = config.vocab_size
    embedding, output = vocabulary_layers(
        weights,
        weights.matrix("embedding.weight", size, config.embedding_size),
        None if config.tied_output else weights.matrix("output.weight", size, state_size),
        weights.get("output.bias", size),
    )
    return _core.RnnDecoder(
        embedding=embedding,
        cells=stack(
            config,
            weights.under("rnn"),
            config.embedding_size,
            config.hidden_size,
            config.num_layers,
        ),
        output=output,
    )
