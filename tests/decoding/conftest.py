"""Random models and the loop that drives a search with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from attnengine import _core
from tests.decoding.searches import rules


class Table:
    """A random model that gives every prefix its own logits, float32 (vocab_size,).

    Each prefix has its own distribution, so no two sums are equal by accident.
    """

    def __init__(self, seed: int, vocab_size: int, *, sharpness: float = 2, forbidden: float = 0):
        self.seed, self.vocab_size, self.sharpness = seed, vocab_size, sharpness
        self.forbidden = forbidden  # share of the tokens other than 0 that are forbidden
        self.known: dict[tuple[int, ...], NDArray[np.float32]] = {}

    def __call__(self, tokens: tuple[int, ...]) -> NDArray[np.float32]:
        if tokens not in self.known:
            rng = np.random.default_rng([self.seed, *(token + 1 for token in tokens)])
            logits = self.sharpness * rng.standard_normal(self.vocab_size)
            logits[1:][rng.random(self.vocab_size - 1) < self.forbidden] = -np.inf
            self.known[tokens] = logits.astype(np.float32)
        return self.known[tokens]


def drive(
    search: Any, tables: Sequence[Table], each_step: Callable[[], object] = lambda: None
) -> Any:
    """Run a Search or a BeamSearch to its end; `tables` holds the model of each sentence."""
    sentences = getattr(search, "sentences", np.zeros(len(search.tokens), np.int32))
    prefixes: list[tuple[int, ...]] = [()] * len(tables)
    prefixes = [prefixes[parent] for parent in search.parents]
    while not search.done:
        each_step()
        logits = [tables[i](prefix) for i, prefix in zip(sentences, prefixes, strict=True)]
        search.advance(np.array(logits))
        sentences = getattr(search, "sentences", np.zeros(len(search.tokens), np.int32))
        prefixes = [
            (*prefixes[parent], token)
            for parent, token in zip(search.parents, search.tokens.tolist(), strict=True)
        ]
    return search


def beam_options(
    end_tokens: Any = (0,), rules_of: dict[str, Any] | None = None, **changes: Any
) -> _core.BeamSearchOptions:
    """Options of a small beam with changes; ``rules_of`` holds the options that make rules."""
    options: dict[str, Any] = {"beam_size": 3, "num_hypotheses": 3, **changes}
    return _core.BeamSearchOptions(rules=rules(end_tokens, **(rules_of or {})), **options)


def sampling_options(
    end_tokens: Any = (0,), rules_of: dict[str, Any] | None = None, **changes: Any
) -> _core.SamplingOptions:
    """Options of plain sampling with changes; ``rules_of`` holds the options that make rules."""
    options: dict[str, Any] = {"seed": 1, **changes}
    return _core.SamplingOptions(rules=rules(end_tokens, **(rules_of or {})), **options)


@pytest.fixture(scope="session", name="make_table")
def table_type() -> type[Table]:
    return Table


@pytest.fixture(scope="session", name="drive")
def drive_function() -> Callable[..., Any]:
    return drive


@pytest.fixture(scope="session", name="beam_options")
def beam_options_function() -> Callable[..., _core.BeamSearchOptions]:
    return beam_options


@pytest.fixture(scope="session", name="sampling_options")
def sampling_options_function() -> Callable[..., _core.SamplingOptions]:
    return sampling_options


def everything(hypotheses: list[Any]) -> list[tuple[Any, ...]]:
    """All fields of the hypotheses, for comparison bit for bit."""
    return [
        (h.tokens, h.score, h.log_prob, h.token_log_probs, h.rows, h.finish_reason)
        for h in hypotheses
    ]


@pytest.fixture(scope="session", name="everything")
def everything_function() -> Callable[[list[Any]], list[tuple[Any, ...]]]:
    return everything
