"""RNN language model that reads the last tokens anew for every token, as textgenrnn does."""

from __future__ import annotations

from dataclasses import dataclass, field

from attnengine import _core
from attnengine.models.parts.vocabulary import logits_layer
from attnengine.models.registry import register
from attnengine.models.rnns import rnn_encoder
from attnengine.models.weights import Weights


@dataclass(frozen=True, kw_only=True)
class Config(rnn_encoder.Config):
    """Keys of an encoder, and the number of tokens in its window."""

    window: int
    window_padding_id: int | None = field(metadata={"minimum": 0})
    max_positions: None  # a window has no limit


@register("rnn_window_lm", config=Config)
def build(config: Config, weights: Weights) -> _core.WindowDecoder:
    """Build from the weights of an encoder and ``output.*``."""
    output = weights.matrix("output.weight", config.vocab_size, config.states_size)
    return _core.WindowDecoder(
        encoder=rnn_encoder.encoder(config, weights),
        output=logits_layer(weights, output, weights.get("output.bias", config.vocab_size)),
        window=config.window,
        padding=config.window_padding_id,
        pooling=config.pooling,
    )
