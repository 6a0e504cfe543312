"""Log-probabilities of texts that are given, and the logits behind them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.decoding.batches import Sentence, feed, joined, start
from attnengine.decoding.workers import Queue, rows_of_texts, share
from attnengine.errors import InvalidArgument
from attnengine.kernels import target_log_probs

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
    targets = joined([sentence.tokens[1:] for sentence in sentences])
    log_probs = np.empty(len(targets))  # (rows,)
    for rows, logits in feed(model, state, sequences, given, want=True):
        log_probs[rows] = target_log_probs(logits, targets[rows], num_threads=model.num_threads)
        if np.isnan(log_probs[rows]).any():
            raise InvalidArgument("a logit is NaN or infinite, expected finite numbers")
    ends = np.cumsum([len(one) for one in given])[:-1]
    return [part.tolist() for part in np.split(log_probs, ends)]
