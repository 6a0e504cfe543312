"""Batched beam search in NumPy, for engines that offer only a decoding step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[Any]
State = Sequence[Floats]  # arrays with one row per hypothesis
Step = Callable[[Integers, State], tuple[Floats, State]]  # tokens (rows,) -> logits (rows, vocab)


def greedy(step: Step, state: State, first: int, end: int, new_tokens: int) -> list[int]:
    """The most probable token at each step, ``end`` excluded."""
    found, token = [], np.array([first])
    for _ in range(new_tokens):
        logits, state = step(token, state)
        logits[:, end] = -np.inf
        token = logits.argmax(-1)
        found.append(int(token[0]))
    return found


def beam_search(
    step: Step, state: State, batch: int, beam: int, first: int, end: int, new_tokens: int
) -> list[list[int]]:
    """The best hypothesis of each of ``batch`` sentences; state has one row per sentence."""
    tokens = np.full(batch * beam, first)
    scores = np.full((batch, beam), -np.inf, np.float32)
    scores[:, 0] = 0.0
    first_rows = beam * np.arange(batch)[:, None]
    state = [np.repeat(array, beam, 0) for array in state]
    steps = []
    for _ in range(new_tokens):
        logits, state = step(tokens, state)
        logits[:, end] = -np.inf
        log_probs, chosen = best_of_rows(logits, beam)
        total = (log_probs.reshape(batch, beam, beam) + scores[:, :, None]).reshape(batch, -1)
        kept = np.argsort(-total, -1)[:, :beam]  # (batch, beam)
        scores = np.take_along_axis(total, kept, -1)
        parents = kept // beam
        rows = (parents + first_rows).reshape(-1)
        new = np.take_along_axis(chosen.reshape(batch, -1), kept, -1)
        tokens = new.reshape(-1)
        state = [array[rows] for array in state]
        steps.append((new, parents))
    return spelled(steps, batch)


def best_of_rows(logits: Floats, count: int) -> tuple[Floats, Integers]:
    """Log-probabilities and tokens of each row's ``count`` best continuations, unsorted."""
    largest = logits.max(-1, keepdims=True)
    norm = largest + np.log(np.exp(logits - largest).sum(-1, keepdims=True))
    tokens = np.argpartition(logits, -count, -1)[:, -count:]
    return np.take_along_axis(logits, tokens, -1) - norm, tokens


def spelled(steps: list[tuple[Integers, Integers]], batch: int) -> list[list[int]]:
    """The tokens of each sentence's best hypothesis, read backwards along its parents."""
    place = np.zeros((batch, 1), np.int64)
    columns = []
    for tokens, parents in reversed(steps):
        columns.append(np.take_along_axis(tokens, place, -1))
        place = np.take_along_axis(parents, place, -1)
    found: list[list[int]] = np.concatenate(columns[::-1], -1).tolist()
    return found
