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
    """The architecture "rnn_lm": a hidden state represents the tokens so far."""

    def __init__(self, config: Config, weights: Weights) -> None:
        self.num_layers: int = config["num_layers"]
        self.options = CellOptions.of(config)
        self.embedding = weights["embedding.weight"]  # (vocab_size, embedding_size)
        self.rnn = under(weights, "rnn.")
        tied = config["tied_output"]
        self.output = self.embedding if tied else weights["output.weight"]  # (vocab_size, hidden)
        self.output_bias = weights.get("output.bias")  # (vocab_size,)

    def initial_state(self) -> RnnState:
        """Return the state before the first token: zeros, (num_layers, hidden)."""
        return stack_states(
            [zero_state(self.rnn, self.options, f"_l{k}") for k in range(self.num_layers)]
        )

    def step(self, token: int, state: RnnState) -> tuple[Floats, RnnState]:
        """Read one token; return (logits (vocab_size,) of the next token, the new state)."""
        state = stack_step(self.embedding[token], state, self.rnn, self.options)
        return linear(state.hidden[-1], self.output, self.output_bias), state

    def logits(self, ids: Sequence[int] | Integers) -> Floats:
        """Return logits (tokens, vocab_size); row t scores the token after ids[: t + 1]."""
        embedded = self.embedding[np.asarray(ids, np.int64)]  # (tokens, embedding_size)
        states, _ = rnn(embedded, self.rnn, self.options, self.num_layers)
        return linear(states, self.output, self.output_bias)
