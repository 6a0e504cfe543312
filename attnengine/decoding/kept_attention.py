"""The attention weights that a search collects for its results."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.decoding.sentences import Ints, Sentence

Floats = NDArray[np.float32]


@dataclass
class _Kept:
    """The attention weights of one sentence, each (rows, source)."""

    source: int
    prefix: list[Floats]
    steps: list[Floats] = field(default_factory=list)


class KeptAttention:
    """The attention weights of every row and step, for the sentences that asked for them."""

    def __init__(self) -> None:
        self._kept: dict[int, _Kept] = {}

    @property
    def wanted(self) -> bool:
        """Whether any sentence asked for its attention weights."""
        return bool(self._kept)

    def add(self, number: int, sentence: Sentence) -> None:
        """Start to keep the weights of a new sentence."""
        source = sentence.source_length
        self._kept[number] = _Kept(source, [np.zeros((0, source), np.float32)])

    def keep(self, owners: Ints, weights: Floats) -> None:
        """Keep the weights of one step, (rows, longest source).

        ``owners`` (rows,) are the numbers of the rows' sentences; equal numbers are adjacent.
        """
        for kept, rows in self._split(owners, weights):
            kept.steps.append(rows)

    def keep_prefix(self, owners: Ints, weights: Floats) -> None:
        """Keep the weights of prompt tokens; the arguments are those of ``keep``."""
        for kept, rows in self._split(owners, weights):
            kept.prefix.append(rows)

    def _split(self, owners: Ints, weights: Floats) -> Iterator[tuple[_Kept, Floats]]:
        first = 0
        for number, rows in itertools.groupby(owners.tolist()):
            last = first + len(list(rows))
            if kept := self._kept.get(number):
                yield kept, weights[first:last, : kept.source].copy()
            first = last

    def take(self, number: int, hypotheses: list[_core.SearchHypothesis]) -> list[Floats]:
        """Return the weights of each hypothesis, (prefix and new tokens, source)."""
        kept = self._kept[number]
        return [np.concatenate([*kept.prefix, *_rows(kept.steps, one)]) for one in hypotheses]

    def drop(self, number: int) -> None:
        """Discard the weights of a sentence, if any are kept."""
        self._kept.pop(number, None)


def _rows(steps: list[Floats], hypothesis: _core.SearchHypothesis) -> Iterator[Floats]:
    """Yield the hypothesis' row of weights from each step, (1, source), except the end token's."""
    for weights, row in zip(steps, hypothesis.rows[: len(hypothesis.tokens)], strict=False):
        yield weights[row, None]
