"""An RNN language model that encodes the last tokens again for every token, like textgenrnn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attnengine.reference.arrays import Floats, Integers
from attnengine.reference.linear import linear
from attnengine.reference.rnn_encoder import RnnEncoder
from attnengine.reference.weights import Config, Weights


class RnnWindowLM:
    """The architecture "rnn_window_lm", with its config and weights."""

    def __init__(self, config: Config, weights: Weights) -> None:
        self.encoder = RnnEncoder(config, weights)
        self.window: int = config["window"]
        self.padding: int | None = config["window_padding_id"]
        self.output = weights["output.weight"]  # (vocab_size, size)
        self.output_bias = weights.get("output.bias")  # (vocab_size,)

    def logits(self, ids: Sequence[int] | Integers) -> Floats:
        """Return logits (tokens, vocab_size); row t scores the token after ids[: t + 1]."""
        rows = [self._vector([int(i) for i in ids[: t + 1]]) for t in range(len(ids))]
        return linear(np.stack(rows), self.output, self.output_bias)

    def _vector(self, ids: list[int]) -> Floats:
        last = ids[-self.window :]
        if self.padding is not None:
            last = [self.padding] * (self.window - len(last)) + last
        return self.encoder.encode(last)
