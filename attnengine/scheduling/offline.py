"""Calls with many texts: workers take sentences from one shared list."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.decoding.loop import Batch, Found, Task
from attnengine.decoding.score import batch_log_probs
from attnengine.decoding.sentences import Sentence, joined
from attnengine.errors import Error
from attnengine.scheduling.workers import WorkList, rows_of_texts, run_workers

Floats = NDArray[np.float32]


def decode(
    model: _core.Decoder,
    tasks: Sequence[Task],
    max_batch_size: int,
    num_workers: int | None = 1,
) -> list[Found]:
    """Search for the best hypotheses of every task; return them in the order of the tasks.

    The first task that fails stops the others, and its error is raised.
    """
    found: dict[int, Found] = {}
    turn = threading.Lock()  # one worker at a time runs Python rules

    def work(waiting: WorkList) -> None:
        batch = Batch(model, turn)
        while True:
            if numbers := waiting.take(batch.free(waiting.batch_size)):
                batch.add(numbers, [tasks[number] for number in numbers])
            elif not batch.live:
                return
            if not batch.search.done:  # with max_new_tokens 0 a task is done when it is added
                batch.step()
            for number, one in batch.ended():
                if isinstance(one, Error):
                    raise one
                found[number] = one

    sentences = [task.sentence for task in tasks]
    rows = max((task.search.options.rows for task in tasks), default=1)
    run_workers(model, sentences, max_batch_size, num_workers, rows, work)
    return [found[number] for number in range(len(tasks))]


def token_log_probs(
    model: _core.Decoder,
    sentences: Sequence[Sentence],
    max_batch_size: int,
    num_workers: int | None = 1,
) -> list[list[float]]:
    """Return the log-probability of every token after the first, for each sentence."""
    scored: dict[int, list[float]] = {}

    def work(waiting: WorkList) -> None:
        while numbers := waiting.take(waiting.batch_size):
            batch = [sentences[number] for number in numbers]
            scored.update(zip(numbers, batch_log_probs(model, batch), strict=True))

    rows = rows_of_texts(sentences)
    run_workers(model, sentences, max_batch_size, num_workers, rows, work)
    return [scored[number] for number in range(len(sentences))]


def encode(
    model: _core.Encoder,
    texts: Sequence[list[int]],
    pooling: str,
    max_batch_size: int,
    num_workers: int | None = 1,
) -> Floats:
    """Return the pooled hidden states of every text: (texts, size)."""
    if not texts:
        return np.zeros((0, model.output_size), np.float32)
    pooled: dict[int, Floats] = {}

    def work(waiting: WorkList) -> None:
        while numbers := waiting.take(waiting.batch_size):
            tokens, lengths = ragged([texts[number] for number in numbers])
            pooled.update(zip(numbers, model.encode(tokens, lengths, pooling), strict=True))

    sentences = [Sentence([], ids) for ids in texts]
    rows = rows_of_texts(sentences)
    run_workers(model, sentences, max_batch_size, num_workers, rows, work)
    return np.stack([pooled[number] for number in range(len(texts))])


def ragged(texts: Sequence[list[int]]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the concatenated tokens of all texts (rows,) and the length of each (texts,)."""
    return joined(texts), np.array([len(ids) for ids in texts], np.int64)
