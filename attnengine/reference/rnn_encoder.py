"""An RNN that reads a sequence and pools its states into one vector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attnengine.reference.arrays import Floats, Integers
from attnengine.reference.pooling import pool
from attnengine.reference.rnn import CellOptions, rnn
from attnengine.reference.weights import Config, Weights, under


class RnnEncoder:
    """Config and weights are those of the architecture "rnn_encoder"."""

    def __init__(self, config: Config, weights: Weights) -> None:
        self.num_layers: int = config["num_layers"]
        self.options = CellOptions.of(config)
        self.bidirectional: bool = config["bidirectional"]
        self.pooling: str = config["pooling"]
        self.embedding = weights["embedding.weight"]  # (vocab_size, embedding_size)
        self.rnn = under(weights, "rnn.")
        self.query = weights.get("pooling.query")  # (size,)

    def hidden_states(self, ids: Sequence[int] | Integers) -> Floats:
        """States of the top layer, (tokens, size); size = directions * hidden_size."""
        embedded = self.embedding[np.asarray(ids, np.int64)]  # (tokens, embedding_size)
        states, _ = rnn(embedded, self.rnn, self.options, self.num_layers, self.bidirectional)
        return states

    def encode(self, ids: Sequence[int] | Integers) -> Floats:
        """The sequence as one vector, (size,)."""
        return pool(self.hidden_states(ids), self.pooling, self.query, self.bidirectional)
