"""RNN language model: embedding, a stack of cells, output projection (Mikolov et al. 2010)."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.registry import Weights, logits_layer, register
from attnengine.models.rnn import CellConfig, stack


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
    embedding = weights.take("embedding.weight", config.vocab_size, config.embedding_size)
    state_size = config.output_size(config.hidden_size)
    if config.tied_output and config.embedding_size != state_size:
        key = "projection_size" if config.projection_size else "hidden_size"
        raise FormatError(
            f"config: 'tied_output' is true with 'embedding_size' {config.embedding_size} and "
            f"{key!r} {state_size}, expected equal sizes"
        )
    output = (
        embedding
        if config.tied_output
        else weights.take("output.weight", config.vocab_size, state_size)
    )
    return _core.RnnDecoder(
        embedding=_core.Embedding(embedding),
        cells=stack(
            config,
            weights.under("rnn"),
            config.embedding_size,
            config.hidden_size,
            config.num_layers,
        ),
        output=logits_layer(output, weights.get("output.bias", config.vocab_size)),
    )
