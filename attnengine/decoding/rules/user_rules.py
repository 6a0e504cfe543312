"""Rules that users write in Python: callables that edit the logits of each step in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from attnengine import _core

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Rows:
    """What a rule may read about the rows of a step; each live hypothesis has one row.

    tokens
        The last token of each row: (rows,).
    sentences
        The index of each row's text among those that the call decodes: (rows,). Empty sources are
        not decoded. ``transcribe`` counts the windows of a batch.
    lengths
        The number of new tokens that each row has so far: (rows,).
    """

    tokens: Ints
    sentences: Ints
    lengths: Ints


Rule: TypeAlias = Callable[[Floats, Rows], object]
"""A callable that edits the logits (rows, vocab_size) of a step in place, before the search."""


def apply(rules: Mapping[int, tuple[Rule, ...]], logits: Floats, search: _core.Search) -> None:
    """Apply to each text's logits its own ``rules``; the keys of ``rules`` number the texts."""
    tokens, sentences, lengths = search.tokens, search.sentences, search.lengths
    groups: dict[int, tuple[tuple[Rule, ...], list[int]]] = {}  # texts of one call share rules
    for number, chosen in rules.items():
        groups.setdefault(id(chosen), (chosen, []))[1].append(number)
    for chosen, numbers in groups.values():
        mine = np.isin(sentences, numbers)  # (rows,)
        if not mine.any():
            continue
        rows = Rows(tokens[mine], sentences[mine], lengths[mine])
        edited = logits if mine.all() else logits[mine]
        for rule in chosen:
            rule(edited, rows)
        if edited is not logits:
            logits[mine] = edited
