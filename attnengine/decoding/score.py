"""Logits and log-probabilities of given texts."""

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
    """Return the logits after each token of the sentence: (tokens, vocab_size)."""
    state = model.new_state()
    sequences = start(model, state, [sentence])
    pieces = feed(model, state, sequences, [sentence.tokens], want=True)
    return np.concatenate([piece.copy() for _, piece in pieces])


def batch_log_probs(model: _core.Decoder, sentences: Sequence[Sentence]) -> list[list[float]]:
    """Return the log-probability of every token after the first, for sentences in one batch.

    Raises InvalidArgument for logits that hold NaN or infinity.
    """
    state = model.new_state()
    sequences = start(model, state, sentences)
    given = [sentence.tokens[:-1] for sentence in sentences]
    targets = joined([sentence.tokens[1:] for sentence in sentences])
    log_probs = np.empty(len(targets))  # (rows,)
    for rows, logits in feed(model, state, sequences, given, want=True):
        log_probs[rows] = target_log_probs(logits, targets[rows], num_threads=model.num_threads)
        if np.isnan(log_probs[rows]).any():
            raise InvalidArgument(
                "the model's logits hold NaN or infinity, expected finite numbers:"
                " check the model's weights"
            )
    ends = np.cumsum([len(one) for one in given])[:-1]
    return [part.tolist() for part in np.split(log_probs, ends)]
