"""An RNN language model that reads the last tokens anew for every token, as textgenrnn does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attnengine.reference.arrays import Floats, Integers
from attnengine.reference.linear import linear
from attnengine.reference.rnn_encoder import RnnEncoder
from attnengine.reference.weights import Config, Weights


class RnnWindowLM:
    """Config and weights are those of the architecture "rnn_window_lm"."""

    def __init__(self, config: Config, weights: Weights) -> None:
        self.encoder = RnnEncoder(config, weights)
        self.window: int = config["window"]
        self.padding: int | None = config["window_padding_id"]
        self.output = weights["output.weight"]  # (vocab_size, size)
        self.output_bias = weights.get("output.bias")  # (vocab_size,)

    def logits(self, ids: Sequence[int] | Integers) -> Floats:
        """Row t scores the token that follows ids[: t + 1]. (tokens, vocab_size)."""
        rows = [self._vector([int(i) for i in ids[: t + 1]]) for t in range(len(ids))]
        return linear(np.stack(rows), self.output, self.output_bias)

    def _vector(self, ids: list[int]) -> Floats:
        last = ids[-self.window :]
        if self.padding is not None:
            last = [self.padding] * (self.window - len(last)) + last
        return self.encoder.encode(last)
