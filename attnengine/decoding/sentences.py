"""Sentences as a model takes them, and steps over their given tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attnengine import _core

Ints = NDArray[np.int32]

# Limits of one step; long prompts and texts take several steps.
_MAX_ROWS = 512  # more rows are no faster
_MAX_LOGITS = 2**24  # 64 MiB in float32


@dataclass(frozen=True)
class Sentence:
    """The token ids of one text for a decoder, and its source."""

    tokens: list[int]  # the decoder's input; starts with the decoder start token
    # Token ids for the encoder, or the encoder's output for one source; None: language model.
    source: list[int] | _core.Encoded | None = None
    given: int = 1  # number of leading `tokens` that are not scored

    @property
    def source_length(self) -> int:
        """The number of source positions that cross-attention covers."""
        if isinstance(self.source, _core.Encoded):
            return self.source.length(0)
        return len(self.source or ())


def start(model: _core.Decoder, state: _core.State, batch: Sequence[Sentence]) -> Ints:
    """Encode the sources, add the sentences to ``state``; return their sequences, (sentences,)."""
    encoded = [one.source for one in batch if isinstance(one.source, _core.Encoded)]
    if encoded:
        return np.concatenate([state.add(one) for one in encoded])
    if not isinstance(model, _core.Seq2Seq):
        return state.add(len(batch))
    sources = [one.source if isinstance(one.source, list) else [] for one in batch]
    lengths = np.array([len(source) for source in sources], np.int64)  # (sentences,)
    return state.add(model.encode(joined(sources), lengths))


def joined(many: Sequence[Sequence[int]]) -> Ints:
    """Return the ids of all sequences, concatenated: (rows,)."""
    return np.array([i for one in many for i in one], np.int32)


def feed(
    model: _core.Decoder,
    state: _core.State,
    sequences: Ints,  # (sentences,)
    tokens: Sequence[Sequence[int]],  # one sequence of ids per sentence
    want: bool,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Step over the given tokens of all sentences, with a bounded number of rows per step.

    Yields, for each step, the indices of its rows among all rows and their logits (rows,
    vocab_size). The logits are valid until the next step, and empty unless ``want``.
    """
    flat = joined(tokens)  # (rows,)
    owners = np.repeat(sequences, [len(one) for one in tokens])  # (rows,)
    size = max(1, min(_MAX_ROWS, _MAX_LOGITS // model.vocab_size)) if want else _MAX_ROWS
    for rows in _pieces([len(one) for one in tokens], size):
        yield rows, model.step(flat[rows], owners[rows], state, np.full(len(rows), want))


def _pieces(lengths: Sequence[int], size: int) -> Iterator[NDArray[np.int64]]:
    """Yield the row indices of each step, at most ``size``, for sentences stored one by one.

    Each step covers a part of every sentence, as far as ``size`` allows. An RNN then reads its
    weights once per timestep for all sentences.
    """
    part = max(1, size // max(1, len(lengths)))  # tokens of a sentence per step
    part_of = np.concatenate([np.arange(length) // part for length in (0, *lengths)])  # (rows,)
    order = np.argsort(part_of, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(part_of[order])) + 1):
        for first in range(0, len(rows), size):
            yield rows[first : first + size]
