"""Log-probabilities of texts that are given, and the logits behind them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.decoding.batches import Sentence, feed, start
from attnengine.decoding.workers import Queue, rows_of_texts, share
from attnengine.errors import InvalidArgument

Floats = NDArray[np.float32]


def token_log_probs(
    model: _core.Decoder,
    sentences: Sequence[Sentence],
    max_batch_size: int,
    num_workers: int | None = 1,
) -> list[list[float]]:
    """The log-probability of every token after the first, of each sentence."""
    scored: dict[int, list[float]] = {}

    def work(queue: Queue) -> None:
        while batch := queue.take(queue.batch_size):
            scored.update(zip(batch, _batch(model, [sentences[i] for i in batch]), strict=True))

    share(model, sentences, max_batch_size, num_workers, rows_of_texts(sentences), work)
    return [scored[index] for index in range(len(sentences))]


def logits(model: _core.Decoder, sentence: Sentence) -> Floats:
    """What the model says after each token of the sentence: (tokens, vocab_size)."""
    state = model.new_state()
    sequences = start(model, state, [sentence])
    pieces = feed(model, state, sequences, [sentence.tokens], want=True)
    return np.concatenate([piece.copy() for _, piece in pieces])


def _batch(model: _core.Decoder, sentences: Sequence[Sentence]) -> list[list[float]]:
    state = model.new_state()
    sequences = start(model, state, sentences)
    given = [sentence.tokens[:-1] for sentence in sentences]
    targets = [target for sentence in sentences for target in sentence.tokens[1:]]
    flat: list[float] = []
    for rows, piece in feed(model, state, sequences, given, want=True):
        flat.extend(_log_prob(*pair) for pair in zip(piece, targets[rows], strict=True))
    ends = np.cumsum([len(one) for one in given]).tolist()
    return [flat[end - len(one) : end] for end, one in zip(ends, given, strict=True)]


def _log_prob(logits: Floats, target: int) -> float:
    """The target's log softmax in double precision; row by row, whatever the batch."""
    row = logits.astype(np.float64)  # (vocab_size,)
    largest = row.max()
    if not np.isfinite(largest):
        raise InvalidArgument(f"the largest logit is {largest}, expected a finite number")
    return float(row[target] - largest - np.log(np.exp(row - largest).sum()))
