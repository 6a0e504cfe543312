"""RNNs in NumPy with OpenBLAS and the reference's cells, the baseline for every engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from attnengine.reference.linear import linear
from attnengine.reference.rnn import CellOptions, RnnState, stack_step
from attnengine.reference.rnn_lm import RnnLM
from attnengine.reference.rnn_seq2seq import RnnSeq2Seq
from attnengine.reference.softmax import softmax
from benchmarks.peers.engines.base import RNNS, Engine, Ids, Setup
from benchmarks.peers.engines.numpy_beam_search import Floats, Integers, State, beam_search, greedy
from benchmarks.peers.models import WEIGHTS, Model

OUTSIDE = np.float32(-1e9)  # score of a position beyond a sentence's end


def by_rows(state: RnnState) -> list[Floats]:
    """Turn the parts of a state from (layers, rows, hidden) into (rows, layers, hidden)."""
    return [np.moveaxis(part, 0, 1) for part in state if part is not None]


def by_layers(state: State) -> RnnState:
    """Turn (rows, layers, hidden) into a state of parts (layers, rows, hidden)."""
    parts = [np.moveaxis(part, 1, 0) for part in state]
    return RnnState(parts[0], parts[1] if len(parts) > 1 else None)


class Sources:
    """The encoded sentences of a batch, padded for the attention of all hypotheses."""

    def __init__(self, model: RnnSeq2Seq, sources: Sequence[Ids]) -> None:
        encoded = [model.encode(source) for source in sources]
        longest = max(len(one.states) for one in encoded)
        grown = [((0, longest - len(one.states)), (0, 0)) for one in encoded]
        pairs = list(zip(encoded, grown, strict=True))
        self.states = np.stack([np.pad(one.states, by) for one, by in pairs])  # (batch, src, size)
        self.keys = np.stack([np.pad(one.keys, by) for one, by in pairs])
        lengths = np.array([len(one.states) for one in encoded])
        beyond = np.arange(longest) >= lengths[:, None]
        self.mask = (beyond * OUTSIDE)[:, None].astype(np.float32)  # (batch, 1, src)
        first = [model.initial_state(one).rnn for one in encoded]
        self.first = [np.stack(part) for part in zip(*first, strict=True) if part[0] is not None]


class TargetStep:
    """One step of a decoder for all hypotheses of all sentences."""

    def __init__(self, model: RnnSeq2Seq, sources: Sources) -> None:
        self.model, self.sources = model, sources
        self.additive = model.config["attention"] == "additive"

    def attend(self, hidden: Floats) -> Floats:
        """Contexts (rows, encoder size) of the hidden states (rows, hidden)."""
        sources, model = self.sources, self.model
        query = model._linear(hidden, "decoder.attention.query")
        query = query.reshape(len(sources.states), -1, query.shape[-1])  # (batch, beam, key)
        if self.additive:
            together = np.tanh(query[:, :, None] + sources.keys[:, None])
            scores = together @ model.weights["decoder.attention.vector"]  # (batch, beam, src)
        else:
            scores = query @ sources.keys.transpose(0, 2, 1)
        contexts = softmax(scores + sources.mask) @ sources.states
        return contexts.reshape(len(hidden), -1).astype(np.float32, copy=False)

    def __call__(self, tokens: Integers, state: State) -> tuple[Floats, State]:
        """With input feeding the state ends with the readout of the previous step."""
        model, feeding = self.model, bool(self.model.config["input_feeding"])
        carried, inputs = list(state), {"embedding": model.decoder_embedding[tokens]}
        read = [inputs["embedding"]]
        if feeding:
            read.append(carried.pop()[:, 0])
        before = by_layers(carried)
        if model.config["attention_query"] == "previous":
            inputs["context"] = self.attend(before.hidden[-1])
            read.append(inputs["context"])
        new = stack_step(np.concatenate(read, 1), before, model.decoder_rnn, model.options)
        inputs["hidden"] = new.hidden[-1]
        if "context" not in inputs:
            inputs["context"] = self.attend(inputs["hidden"])
        together = np.concatenate([inputs[name] for name in model.config["readout_inputs"]], 1)
        readout = np.tanh(model._linear(together, "decoder.readout"))
        logits = model._linear(readout, "decoder.output")
        return logits, [*by_rows(new), *([readout[:, None]] if feeding else [])]


class NumPy(Engine):
    """NumPy encodes each source alone and decodes all hypotheses of a batch together."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        from safetensors.numpy import load_file

        weights: Any = load_file(setup.folder / WEIGHTS)
        self.config = setup.model.config
        kind = RnnLM if setup.model.family == "rnn_lm" else RnnSeq2Seq
        self.model: Any = kind(self.config, weights)
        self.options = CellOptions.of(self.config)

    @staticmethod
    def variants(model: Model) -> list[str]:
        return ["float32"] if model.family in RNNS else []

    def translate(
        self, sources: Sequence[Ids], batch_size: int, beam_size: int, new_tokens: int
    ) -> int:
        order, total = sorted(sources, key=len, reverse=True), 0
        start, end = self.config["decoder_start_token_id"], self.config["eos_token_id"]
        for first in range(0, len(order), batch_size):
            batch = Sources(self.model, order[first : first + batch_size])
            state, size = list(batch.first), len(batch.states)
            if self.config["input_feeding"]:
                state.append(np.zeros((size, 1, self.config["readout_size"]), np.float32))
            step = TargetStep(self.model, batch)
            found = beam_search(step, state, size, beam_size, start, end, new_tokens)
            total += sum(map(len, found))
        return total

    def step(self, tokens: Integers, state: State) -> tuple[Floats, State]:
        """One step of a language model: logits (rows, vocab_size)."""
        model = self.model
        new = stack_step(model.embedding[tokens], by_layers(state), model.rnn, self.options)
        return linear(new.hidden[-1], model.output, model.output_bias), by_rows(new)

    def zeros(self, rows: int) -> list[Floats]:
        start = self.model.initial_state()
        return [np.repeat(part[None], rows, 0) for part in start if part is not None]

    def generate(self, prompt: Ids, new_tokens: int, beam_size: int) -> int:
        state, end = self.zeros(1), self.config["eos_token_id"]
        for token in prompt[:-1]:
            _, state = self.step(np.array([token]), state)  # type: ignore[assignment]
        if beam_size == 1:
            return len(greedy(self.step, state, prompt[-1], end, new_tokens))
        found = beam_search(self.step, state, 1, beam_size, prompt[-1], end, new_tokens)
        return len(found[0])

    def score(self, sequences: Sequence[Ids]) -> int:
        ids = np.array(sequences)
        state: State = self.zeros(len(ids))
        total = np.zeros(len(ids))
        for t in range(ids.shape[1] - 1):
            logits, state = self.step(ids[:, t], state)
            logits -= logits.max(-1, keepdims=True)
            chosen = np.take_along_axis(logits, ids[:, t + 1 : t + 2], -1)[:, 0]
            total += chosen - np.log(np.exp(logits).sum(-1))
        return int(ids.shape[0] * (ids.shape[1] - 1))
