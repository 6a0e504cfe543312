"""A model together with the state of its sequences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.decoding.sentences import Ints, Sentence, feed, start

Floats = NDArray[np.float32]


class Session:
    """A model and its state; the next step extends ``sequences`` (rows,)."""

    def __init__(self, model: _core.Decoder) -> None:
        self.model, self.state = model, model.new_state()
        self.sequences: Ints = np.zeros(0, np.int32)  # (rows,)

    @property
    def keep_alignment(self) -> bool:
        """Whether the next steps keep their attention weights."""
        return self.state.keep_alignment

    @keep_alignment.setter
    def keep_alignment(self, keep: bool) -> None:
        self.state.keep_alignment = keep

    @property
    def attention(self) -> Floats:
        """The attention weights of the last step: (rows, longest source)."""
        return self.state.attention

    def add(self, sentences: Sequence[Sentence]) -> Ints:
        """Add a sequence for each sentence, without a row as yet: (sentences,)."""
        return start(self.model, self.state, sentences)

    def feed(
        self, sequences: Ints, prompts: Sequence[Sequence[int]]
    ) -> Iterator[NDArray[np.int64]]:
        """Step over the prompt of each sequence.

        Yields, for each step, the indices of its rows among the rows of all prompts.
        """
        for rows, _ in feed(self.model, self.state, sequences, prompts, want=False):
            yield rows

    def join(self, sequences: Ints, parents: Ints) -> None:
        """Append a row for each of ``parents`` (new rows,), which are indices into ``sequences``.

        A sequence that ``parents`` does not name is dropped.
        """
        begun = self.state.reorder(sequences, parents)
        self.sequences = np.concatenate([self.sequences, begun])

    def step(self, tokens: Ints) -> Floats:
        """Feed one token per row; return logits (rows, vocab_size), valid until the next step."""
        return self.model.step(tokens, self.sequences, self.state)

    def reorder(self, parents: Ints) -> None:
        """Let the next step's rows continue the rows ``parents``; other rows are dropped."""
        self.sequences = self.state.reorder(self.sequences, parents)
