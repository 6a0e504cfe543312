"""The sentences of one call, shared out among workers: threads that run the same model."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed

from attnengine import _core
from attnengine.decoding.sentences import Sentence

# Rows of a step that are worth a worker. Below, it is faster to read the weights once for all rows
# than to do without the threads' waiting for each other.
_ROWS = 64


class WorkList:
    """The sentences that wait for a worker, as indices: long ones first.

    ``batch_size`` is how many a worker runs together, all workers ``max_batch_size``.
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
        first = self.batch_size * num_workers  # dealt like cards: no worker gets all long ones
        hands = [i for worker in range(num_workers) for i in order[worker:first:num_workers]]
        self._waiting = deque(hands + order[first:])
        self._lock = threading.Lock()
        self._closed = False

    def take(self, count: int) -> list[int]:
        """The next ``count`` sentences, fewer at the end; CancelledError once closed."""
        with self._lock:
            if self._closed:
                raise CancelledError
            return [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]

    def close(self) -> None:
        """Stops every worker when it comes for more."""
        self._closed = True


def rows_of_texts(sentences: Sequence[Sentence]) -> float:
    """The ``rows`` of `run_workers` for work that takes whole texts, each in one step.

    A worker then starts for little: it needs four times the rows of one that takes many steps.
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
    """Runs ``work`` in each worker, on sentences that it takes from a list until it is empty.

    The threads of the model are divided among the workers. When ``num_workers`` is None there are
    as many as have enough to do, a sentence being so many ``rows`` of a step. The first error of
    one stops the others, as an interrupt does, and is raised.
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
