"""Rules that constrain a search, each from all new tokens of a hypothesis, without a state."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from attnengine.reference.arrays import Floats

#: Edits the logits (vocab_size,) that follow the new tokens, in place.
Rule = Callable[[Floats, tuple[int, ...]], None]


def min_new_tokens(count: int, end_tokens: Sequence[int]) -> Rule:
    """The end tokens are forbidden before ``count`` new tokens."""

    def edit(logits: Floats, tokens: tuple[int, ...]) -> None:
        if len(tokens) < count:
            logits[list(end_tokens)] = -np.inf

    return edit


def suppress(forbidden: Sequence[int]) -> Rule:
    """These tokens are never chosen."""

    def edit(logits: Floats, tokens: tuple[int, ...]) -> None:
        logits[list(forbidden)] = -np.inf

    return edit


def suppress_first(forbidden: Sequence[int]) -> Rule:
    """These tokens are never the first new token."""

    def edit(logits: Floats, tokens: tuple[int, ...]) -> None:
        if not tokens:
            logits[list(forbidden)] = -np.inf

    return edit
