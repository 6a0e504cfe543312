"""An RNN encoder: reads a sequence and pools its states into one vector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attnengine.reference.arrays import Floats, Integers
from attnengine.reference.pooling import last, pool
from attnengine.reference.rnn import CellOptions, RnnState, Stack, rnn_layers
from attnengine.reference.weights import Config, Weights, under


class RnnEncoder:
    """The architecture "rnn_encoder", with its config and weights."""

    def __init__(self, config: Config, weights: Weights) -> None:
        self.options = CellOptions.of(config)
        self.stack = Stack(
            config["num_layers"],
            config["bidirectional"],
            separate=config.get("separate_directions", False),
            skip=config.get("skip_connections", False),
        )
        self.all_states: bool = config.get("states", "top") == "all"
        self.pooling: str = config["pooling"]
        self.embedding = weights["embedding.weight"]  # (vocab_size, embedding_size)
        self.rnn = under(weights, "rnn.")
        self.query = weights.get("pooling.query")  # (size,)

    def hidden_states(self, ids: Sequence[int] | Integers) -> Floats:
        """Return the states of the top layer, or of all layers concatenated: (tokens, size)."""
        return self.states_after(ids, None)[0]

    def states_after(
        self, ids: Sequence[int] | Integers, start: RnnState | None
    ) -> tuple[Floats, RnnState]:
        """Return hidden states that start from the final states ``start``, and new final states.

        start None: zeros.
        """
        embedded = self.embedding[np.asarray(ids, np.int64)]  # (tokens, embedding_size)
        layers, final = rnn_layers(embedded, self.rnn, self.options, self.stack, start)
        return np.concatenate(layers, axis=-1) if self.all_states else layers[-1], final

    def encode(self, ids: Sequence[int] | Integers) -> Floats:
        """Return the sequence as one vector, (size,)."""
        states = self.hidden_states(ids)
        if self.pooling != "last" or not self.all_states:
            return pool(states, self.pooling, self.query, self.stack.bidirectional)
        cut = self.embedding.shape[1]
        layers = np.split(states[:, cut:], self.stack.num_layers, axis=1)
        return np.concatenate(
            [states[-1, :cut], *(last(x, self.stack.bidirectional) for x in layers)]
        )
