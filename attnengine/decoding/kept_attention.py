"""The attention weights that a search keeps for its results."""

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
    """The attention weights of every row of every step, of the sentences that want them."""

    def __init__(self) -> None:
        self._kept: dict[int, _Kept] = {}

    @property
    def wanted(self) -> bool:
        """Whether any sentence wants them."""
        return bool(self._kept)

    def add(self, number: int, sentence: Sentence) -> None:
        """Keep the weights of a new sentence from now on."""
        source = sentence.source_length
        self._kept[number] = _Kept(source, [np.zeros((0, source), np.float32)])

    def keep(self, owners: Ints, weights: Floats) -> None:
        """Keep one step: the sentence of each row, in order; weights (rows, longest source)."""
        for kept, rows in self._split(owners, weights):
            kept.steps.append(rows)

    def keep_prefix(self, owners: Ints, weights: Floats) -> None:
        """Keep rows of the prompts, given as for ``keep``."""
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
        """The weights behind each hypothesis, (prefix and new tokens, source)."""
        kept = self._kept[number]
        return [np.concatenate([*kept.prefix, *_rows(kept.steps, one)]) for one in hypotheses]

    def drop(self, number: int) -> None:
        """Forget a sentence, if it is one of those that are kept."""
        self._kept.pop(number, None)


def _rows(steps: list[Floats], hypothesis: _core.SearchHypothesis) -> Iterator[Floats]:
    """The hypothesis' own row of each step, (1, source), without that of the end token."""
    for weights, row in zip(steps, hypothesis.rows[: len(hypothesis.tokens)], strict=False):
        yield weights[row, None]
