"""Sentences on their way into a model, and how many rows one step takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attnengine import _core

Ints = NDArray[np.int32]

# Long prompts and texts are fed in pieces.
_MAX_ROWS = 512  # of one step; more gains nothing
_MAX_LOGITS = 2**24  # of one step, 64 MiB


@dataclass(frozen=True)
class Sentence:
    """One text for a decoder, in ids."""

    tokens: list[int]  # fed to the decoder as they are; starts with the decoder start token
    # Fed to the encoder, or what it made of one source; None for a language model.
    source: list[int] | _core.Encoded | None = None
    given: int = 1  # how many of `tokens` are not scored

    @property
    def source_length(self) -> int:
        """Positions of the source that a decoder may look at."""
        if isinstance(self.source, _core.Encoded):
            return self.source.length(0)
        return len(self.source or ())


def start(model: _core.Decoder, state: _core.State, batch: Sequence[Sentence]) -> Ints:
    """Adds the sentences to ``state``, with their sources encoded: a sequence (sentences,) each."""
    encoded = [one.source for one in batch if isinstance(one.source, _core.Encoded)]
    if encoded:
        return np.concatenate([state.add(one) for one in encoded])
    if not isinstance(model, _core.Seq2Seq):
        return state.add(len(batch))
    sources = [one.source if isinstance(one.source, list) else [] for one in batch]
    lengths = np.array([len(source) for source in sources], np.int64)  # (sentences,)
    return state.add(model.encode(joined(sources), lengths))


def joined(many: Sequence[Sequence[int]]) -> Ints:
    """The ids of all, one after the other: (rows,)."""
    return np.array([i for one in many for i in one], np.int32)


def feed(
    model: _core.Decoder,
    state: _core.State,
    sequences: Ints,  # (sentences,)
    tokens: Sequence[Sequence[int]],  # of each sentence
    want: bool,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Steps over given tokens of all sentences, a bounded number of rows at a time.

    Yields the rows of each step, as places among all rows, and their logits (rows, vocab_size),
    which are empty unless ``want`` and valid until the next step.
    """
    flat = joined(tokens)  # (rows,)
    owners = np.repeat(sequences, [len(one) for one in tokens])  # (rows,)
    size = max(1, min(_MAX_ROWS, _MAX_LOGITS // model.vocab_size)) if want else _MAX_ROWS
    for rows in _pieces([len(one) for one in tokens], size):
        yield rows, model.step(flat[rows], owners[rows], state, np.full(len(rows), want))


def _pieces(lengths: Sequence[int], size: int) -> Iterator[NDArray[np.int64]]:
    """The rows of sentences that lie side by side, at most ``size`` at a time.

    The sentences go on together, as far as they fit: an RNN reads its weights once for a token
    of each.
    """
    part = max(1, size // max(1, len(lengths)))  # tokens of a sentence
    part_of = np.concatenate([np.arange(length) // part for length in (0, *lengths)])  # (rows,)
    order = np.argsort(part_of, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(part_of[order])) + 1):
        for first in range(0, len(rows), size):
            yield rows[first : first + size]
