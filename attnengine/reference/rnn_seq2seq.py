"""An RNN encoder-decoder, with or without attention.

Without attention the decoder knows the source only through its first state (Sutskever et al. 2014,
Cho et al. 2014). With attention each step reads all encoder states (Bahdanau et al. 2015, Luong et
al. 2015). The conditional GRU attends between the two transitions of a step (Sennrich et al. 2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attnengine.reference.activations import ACTIVATIONS
from attnengine.reference.arrays import Floats, Integers
from attnengine.reference.attention import additive_attention, concat_attention, dot_attention
from attnengine.reference.bridge import initial_decoder_state
from attnengine.reference.linear import linear
from attnengine.reference.rnn import (
    CellOptions,
    RnnState,
    rnn,
    rnn_step,
    stack_states,
    stack_step,
)
from attnengine.reference.weights import Config, Weights, under

Ids = Sequence[int] | Integers


@dataclass(frozen=True)
class Encoded:
    """An encoded source sentence."""

    states: Floats  # (src, encoder_size) states of the top layer
    keys: Floats  # (src, key_dim) the states, projected for attention
    final: RnnState  # (num_layers, directions, encoder_hidden_size)


@dataclass(frozen=True)
class DecoderState:
    """The state of the decoder between steps."""

    rnn: RnnState  # (num_layers, decoder_hidden_size)
    feed: Floats | None  # (readout_size,) the previous step's readout; None: no input feeding


class RnnSeq2Seq:
    """The architecture "rnn_seq2seq", with its config and weights."""

    def __init__(self, config: Config, weights: Weights) -> None:
        self.config = config
        self.weights = weights
        self.options = CellOptions.of(config)
        self.decoder_embedding = weights["decoder.embedding.weight"]  # (vocab, embedding)
        self.encoder_rnn = under(weights, "encoder.rnn.")
        self.decoder_rnn = under(weights, "decoder.rnn.")
        self.transition = under(weights, "decoder.transition.")

    def _linear(self, x: Floats, name: str) -> Floats:
        return linear(x, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"))

    def encode(self, source_ids: Ids) -> Encoded:
        """Encode a source sentence."""
        embedded = self.weights["encoder.embedding.weight"][np.asarray(source_ids, np.int64)]
        states, final = rnn(
            embedded,  # (src, embedding)
            self.encoder_rnn,
            self.options,
            self.config["encoder_num_layers"],
            self.config["bidirectional"],
        )
        additive = self.config["attention"] == "additive"
        keys = self._linear(states, "decoder.attention.key") if additive else states
        return Encoded(states, keys, final)

    def initial_state(self, encoded: Encoded) -> DecoderState:
        """Return the decoder's state before its first token, which the bridge computes."""
        state = initial_decoder_state(self.config, self.weights, encoded.states, encoded.final)
        if not self.config["input_feeding"]:
            return DecoderState(state, None)
        return DecoderState(state, np.zeros(self.config["readout_size"], state.hidden.dtype))

    def _attend(self, hidden: Floats, encoded: Encoded) -> tuple[Floats, Floats]:
        """Attend from one hidden state (hidden,): (context (encoder_size,), weights (src,))."""
        kind = self.config["attention"]
        query = hidden[None]  # (1, hidden)
        if kind in ("additive", "general"):
            query = self._linear(query, "decoder.attention.query")
        if kind == "additive":
            v = self.weights["decoder.attention.vector"]
            context, weights = additive_attention(query, encoded.keys, encoded.states, v)
        elif kind == "concat":
            weight = self.weights["decoder.attention.concat.weight"]
            bias = self.weights.get("decoder.attention.concat.bias")
            v = self.weights["decoder.attention.vector"]
            context, weights = concat_attention(
                query, encoded.keys, encoded.states, weight, v, bias
            )
        else:
            context, weights = dot_attention(query, encoded.keys, encoded.states)
        return context[0], weights[0]

    def _conditional_step(
        self, x: Floats, state: RnnState, encoded: Encoded
    ) -> tuple[RnnState, Floats, Floats]:
        """One step of the conditional GRU: the bottom layer attends between its two transitions.

        The first transition reads x (in,), the second the context. Layers above read the second.
        Returns (the new state, context (encoder_size,), weights (src,)).
        """
        layers = [
            RnnState(hidden, None if state.cell is None else state.cell[k])
            for k, hidden in enumerate(state.hidden)
        ]
        layers[0] = rnn_step(x, layers[0], self.decoder_rnn, self.options)
        context, weights = self._attend(layers[0].hidden, encoded)
        layers[0] = rnn_step(context, layers[0], self.transition, self.options)
        for k in range(1, len(layers)):
            below = layers[k - 1].hidden
            layers[k] = rnn_step(below, layers[k], self.decoder_rnn, self.options, f"_l{k}")
        return stack_states(layers), context, weights

    def _readout(self, inputs: dict[str, Floats]) -> Floats:
        """Compute the input of the output layer from hidden, context and embedding."""
        together = np.concatenate([inputs[name] for name in self.config["readout_inputs"]])
        activation = self.config["readout_activation"]
        if activation == "none":
            return together
        if activation == "maxout":  # over pairs of neighbours (Goodfellow et al. 2013)
            units = self._linear(together, "decoder.readout")  # (2 * readout_size,)
            return np.maximum(units[0::2], units[1::2])
        return ACTIVATIONS[activation](self._linear(together, "decoder.readout"))

    def _output(self, readout: Floats) -> Floats:
        tied = self.config["tied_output"]
        weight = self.decoder_embedding if tied else self.weights["decoder.output.weight"]
        return linear(readout, weight, self.weights.get("decoder.output.bias"))

    def step(
        self, token: int, state: DecoderState, encoded: Encoded
    ) -> tuple[Floats, DecoderState, Floats | None]:
        """Read one target token.

        Returns (logits (vocab_size,) of the next token, the new state, attention weights (src,)
        or None without attention).
        """
        inputs = {"embedding": self.decoder_embedding[token]}
        cell_input = [inputs["embedding"]]
        weights = None
        query = "" if self.config["attention"] == "none" else self.config["attention_query"]
        if query == "previous":
            inputs["context"], weights = self._attend(state.rnn.hidden[-1], encoded)
            cell_input.append(inputs["context"])
        if state.feed is not None:
            cell_input.append(state.feed)
        x = np.concatenate(cell_input)
        if query == "between":
            new, inputs["context"], weights = self._conditional_step(x, state.rnn, encoded)
        else:
            new = stack_step(x, state.rnn, self.decoder_rnn, self.options)
        inputs["hidden"] = new.hidden[-1]
        if query == "new":
            inputs["context"], weights = self._attend(inputs["hidden"], encoded)
        readout = self._readout(inputs)
        feed = None if state.feed is None else readout
        return self._output(readout), DecoderState(new, feed), weights

    def _teacher_forced(
        self, source_ids: Ids, target_ids: Ids
    ) -> tuple[list[Floats], list[Floats | None]]:
        """Return logits and attention weights of every step over given target tokens."""
        encoded = self.encode(source_ids)
        state = self.initial_state(encoded)
        logits, attention = [], []
        for token in target_ids:
            row, state, weights = self.step(int(token), state, encoded)
            logits.append(row)
            attention.append(weights)
        return logits, attention

    def logits(self, source_ids: Ids, target_ids: Ids) -> Floats:
        """Return logits (target, vocab_size); row t scores the token after target_ids[: t + 1]."""
        return np.stack(self._teacher_forced(source_ids, target_ids)[0])

    def attention(self, source_ids: Ids, target_ids: Ids) -> Floats:
        """Return attention weights (target, src).

        Raises ValueError for a model without attention.
        """
        rows = [w for w in self._teacher_forced(source_ids, target_ids)[1] if w is not None]
        if not rows:
            raise ValueError("attention is 'none', expected a model with attention")
        return np.stack(rows)
