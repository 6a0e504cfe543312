"""Rules that users write in Python: callables that edit the logits of each step in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


class Rows(Protocol):
    """The properties of a step's rows that a rule may read; each live hypothesis has one row."""

    @property
    def tokens(self) -> Ints:
        """The last token of each row: (rows,)."""

    @property
    def sentences(self) -> Ints:
        """The index of each row's text among the texts of the call: (rows,)."""

    @property
    def lengths(self) -> Ints:
        """The number of new tokens that each row has so far: (rows,)."""


Rule: TypeAlias = Callable[[Floats, Rows], object]
"""A callable that edits the logits (rows, vocab_size) of a step in place, before the search."""


@dataclass(frozen=True)
class _SomeRows:
    tokens: Ints
    sentences: Ints
    lengths: Ints


def apply(rules: Mapping[int, tuple[Rule, ...]], logits: Floats, rows: Rows) -> None:
    """Apply to each text's logits its own ``rules``; the keys of ``rules`` number the texts."""
    sentences = rows.sentences
    groups: dict[int, tuple[tuple[Rule, ...], list[int]]] = {}  # texts of one call share rules
    for number, chosen in rules.items():
        groups.setdefault(id(chosen), (chosen, []))[1].append(number)
    for chosen, numbers in groups.values():
        mine = np.isin(sentences, numbers)  # (rows,)
        if mine.all():
            for rule in chosen:
                rule(logits, rows)
        elif mine.any():
            edited = logits[mine]
            some = _SomeRows(rows.tokens[mine], sentences[mine], rows.lengths[mine])
            for rule in chosen:
                rule(edited, some)
            logits[mine] = edited
