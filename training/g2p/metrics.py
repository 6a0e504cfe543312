"""Phoneme and word error rates of pronunciations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def edit_distance(a: Sequence[str], b: Sequence[str]) -> int:
    """The smallest number of insertions, deletions and substitutions that turn a into b."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


@dataclass(frozen=True)
class ErrorRates:
    """Error rates over a set of words."""

    phoneme: float  # edits over symbols of the references
    word: float  # share of words that equal none of their pronunciations
    words: int

    def __str__(self) -> str:
        return f"PER {self.phoneme:.2%}, WER {self.word:.2%} ({self.words} words)"


def error_rates(
    pairs: Iterable[tuple[Sequence[str], Sequence[Sequence[str]]]],
) -> ErrorRates:
    """Error rates of pairs (output, all pronunciations); each output is compared to the nearest."""
    edits = symbols = wrong = words = 0
    for output, forms in pairs:
        distance, length = min((edit_distance(output, form), len(form)) for form in forms)
        edits, symbols = edits + distance, symbols + length
        wrong, words = wrong + (distance > 0), words + 1
    return ErrorRates(edits / symbols, wrong / words, words)
