"""Log-probabilities of texts that are given, and the logits behind them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.decoding.sentences import Sentence, feed, joined, start
from attnengine.errors import InvalidArgument
from attnengine.kernels import target_log_probs

Floats = NDArray[np.float32]


def logits(model: _core.Decoder, sentence: Sentence) -> Floats:
    """What the model says after each token of the sentence: (tokens, vocab_size)."""
    state = model.new_state()
    sequences = start(model, state, [sentence])
    pieces = feed(model, state, sequences, [sentence.tokens], want=True)
    return np.concatenate([piece.copy() for _, piece in pieces])


def batch_log_probs(model: _core.Decoder, sentences: Sequence[Sentence]) -> list[list[float]]:
    """The log-probability of every token after the first, of sentences that run together."""
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
