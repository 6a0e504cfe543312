"""Rules that constrain a search; each is a function of a hypothesis' new tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from attnengine.reference.arrays import Floats

#: Takes logits (vocab_size,) and the new tokens before them; edits the logits in place.
Rule = Callable[[Floats, tuple[int, ...]], None]


def min_new_tokens(count: int, end_tokens: Sequence[int]) -> Rule:
    """Return a rule that forbids the end tokens until there are ``count`` new tokens."""

    def edit(logits: Floats, tokens: tuple[int, ...]) -> None:
        if len(tokens) < count:
            logits[list(end_tokens)] = -np.inf

    return edit


def suppress(forbidden: Sequence[int]) -> Rule:
    """Return a rule that forbids tokens at every step."""

    def edit(logits: Floats, tokens: tuple[int, ...]) -> None:
        logits[list(forbidden)] = -np.inf

    return edit


def suppress_first(forbidden: Sequence[int]) -> Rule:
    """Return a rule that forbids tokens as the first new token."""

    def edit(logits: Floats, tokens: tuple[int, ...]) -> None:
        if not tokens:
            logits[list(forbidden)] = -np.inf

    return edit
