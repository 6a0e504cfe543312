"""The sentences of one call, shared out among workers: threads that run the same model."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed

from attnengine import _core
from attnengine.decoding.batches import Sentence


class Queue:
    """The sentences that wait for a worker, as indices: long ones first.

    ``batch_size`` is how many a worker runs together.
    """

    def __init__(self, sentences: Sequence[Sentence], max_batch_size: int, num_workers: int):
        def length(index: int) -> tuple[int, int]:
            sentence = sentences[index]
            return sentence.source_length, len(sentence.tokens)

        order = sorted(range(len(sentences)), key=length, reverse=True)
        self.batch_size = min(max_batch_size, -(-len(order) // num_workers))
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


def share(
    model: _core.Decoder | _core.Encoder,
    sentences: Sequence[Sentence],
    max_batch_size: int,
    num_workers: int,
    work: Callable[[Queue], object],
) -> None:
    """Runs ``work`` in each worker, on sentences that it takes from a queue until there are none.

    The threads of the model are divided among the workers. The first error of one stops the
    others, as an interrupt does, and is raised.
    """
    count = max(1, min(num_workers, len(sentences)))
    queue = Queue(sentences, max_batch_size, count)
    if count == 1:
        work(queue)
        return
    threads = max(1, model.num_threads // count)
    with ThreadPoolExecutor(count, "attnengine", _core.limit_threads, (threads,)) as pool:
        try:
            for done in as_completed([pool.submit(work, queue) for _ in range(count)]):
                done.result()
        except BaseException:
            queue.close()
            raise
