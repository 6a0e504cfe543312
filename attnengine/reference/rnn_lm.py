"""An RNN language model: embedding, recurrent layers, output layer (Mikolov et al. 2010)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attnengine.reference.arrays import Floats, Integers
from attnengine.reference.linear import linear
from attnengine.reference.rnn import (
    CellOptions,
    RnnState,
    rnn,
    stack_states,
    stack_step,
    zero_state,
)
from attnengine.reference.weights import Config, Weights, under


class RnnLM:
    """P(next token | tokens so far), with the tokens so far summed up in a hidden state.

    config and weights are those of the architecture "rnn_lm".
    """

    def __init__(self, config: Config, weights: Weights) -> None:
        self.num_layers: int = config["num_layers"]
        self.options = CellOptions.of(config)
        self.embedding = weights["embedding.weight"]  # (vocab_size, embedding_size)
        self.rnn = under(weights, "rnn.")
        tied = config["tied_output"]
        self.output = self.embedding if tied else weights["output.weight"]  # (vocab_size, hidden)
        self.output_bias = weights.get("output.bias")  # (vocab_size,)

    def initial_state(self) -> RnnState:
        """The state before any token: zeros, (num_layers, hidden)."""
        return stack_states(
            [zero_state(self.rnn, self.options, f"_l{k}") for k in range(self.num_layers)]
        )

    def step(self, token: int, state: RnnState) -> tuple[Floats, RnnState]:
        """Read one token. Returns (logits (vocab_size,) of the next one, the new state)."""
        state = stack_step(self.embedding[token], state, self.rnn, self.options)
        return linear(state.hidden[-1], self.output, self.output_bias), state

    def logits(self, ids: Sequence[int] | Integers) -> Floats:
        """All at once: row t scores the token that follows ids[: t + 1]. (tokens, vocab_size)."""
        embedded = self.embedding[np.asarray(ids, np.int64)]  # (tokens, embedding_size)
        states, _ = rnn(embedded, self.rnn, self.options, self.num_layers)
        return linear(states, self.output, self.output_bias)
