"""Workers: threads that run the same model on different sentences of one call."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed

from attnengine import _core
from attnengine.decoding.sentences import Sentence

# Rows of a step that justify a worker of their own. Below this, sharing one weight read beats
# avoiding synchronisation.
_ROWS = 64


class WorkList:
    """The indices of sentences that wait for a worker, the longest first.

    Each worker runs at most ``batch_size`` sentences together, all workers ``max_batch_size``.
    """

    def __init__(
        self, sentences: Sequence[Sentence], max_batch_size: int, num_workers: int
    ) -> None:
        def length(index: int) -> tuple[int, int]:
            sentence = sentences[index]
            return sentence.source_length, len(sentence.tokens)

        order = sorted(range(len(sentences)), key=length, reverse=True)
        each = min(max_batch_size // num_workers, -(-len(order) // num_workers))
        self.batch_size = max(1, each)
        first = self.batch_size * num_workers  # dealt round-robin: each worker gets long and short
        hands = [i for worker in range(num_workers) for i in order[worker:first:num_workers]]
        self._waiting = deque(hands + order[first:])
        self._lock = threading.Lock()
        self._closed = False

    def take(self, count: int) -> list[int]:
        """Take the next ``count`` sentences, fewer at the end.

        Raises CancelledError after ``close``.
        """
        with self._lock:
            if self._closed:
                raise CancelledError
            return [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]

    def close(self) -> None:
        """Let the next ``take`` of every worker raise CancelledError."""
        self._closed = True


def rows_of_texts(sentences: Sequence[Sentence]) -> float:
    """Return the ``rows`` of `run_workers` for work that takes each text in a single step.

    The result is a quarter of the mean length. A worker that runs few steps needs four times the
    rows to be worth its start.
    """
    tokens = sum(max(one.source_length, len(one.tokens)) for one in sentences)
    return tokens / max(1, len(sentences)) / 4


def run_workers(
    model: _core.Decoder | _core.Encoder,
    sentences: Sequence[Sentence],
    max_batch_size: int,
    num_workers: int | None,
    rows: float,
    work: Callable[[WorkList], object],
) -> None:
    """Run ``work`` in each worker; workers take sentences from a shared list until it is empty.

    The workers divide the threads of the model equally. If ``num_workers`` is None, there is one
    worker per 64 rows of a full step, in which each sentence has ``rows`` rows. The first error of
    a worker, or an interrupt, stops the other workers and is raised.
    """
    together = min(len(sentences), max_batch_size)
    if num_workers is None:
        num_workers = min(model.num_threads, int(together * rows) // _ROWS)
    count = max(1, min(num_workers, together))
    waiting = WorkList(sentences, max_batch_size, count)
    if count == 1:
        work(waiting)
        return
    threads = max(1, model.num_threads // count)
    with ThreadPoolExecutor(count, "attnengine", _core.limit_threads, (threads,)) as pool:
        try:
            for done in as_completed([pool.submit(work, waiting) for _ in range(count)]):
                done.result()
        except BaseException:
            waiting.close()
            raise
