"""Helpers that make searches with given options, for tests of the compiled search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attnengine import _core


def rules(end_tokens: Any, **values: Any) -> list[_core.Rule]:
    """The rule of end tokens, then the rules of the other options given by name."""
    made = [_core.make_rule("end_tokens", end_tokens, [])]
    return made + [_core.make_rule(name, value, end_tokens) for name, value in values.items()]


def new_sentences(
    options: Any,
    starts: Sequence[Any],
    lengths: Sequence[Any],
    numbers: Sequence[int] | None = None,
) -> list[_core.NewSentence]:
    """Sentences that start with one token; ``options`` is shared or a list, one per sentence."""
    each = options if isinstance(options, list) else [options] * len(starts)
    numbers = range(len(starts)) if numbers is None else numbers
    return [
        _core.NewSentence(number=number, options=one, past=[start], max_new_tokens=length)
        for number, one, start, length in zip(numbers, each, starts, lengths, strict=True)
    ]


def make_search(
    options: Any,
    starts: Sequence[Any],
    lengths: Sequence[Any],
    vocab_size: int | None = None,
    num_threads: int = 1,
    *,
    fail_apart: bool = False,
) -> _core.Search:
    """A search of sentences 0, 1, 2, ..."""
    search = _core.Search(vocab_size, num_threads, fail_apart=fail_apart)
    search.add(new_sentences(options, starts, lengths))
    return search
