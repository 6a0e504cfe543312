"""Scores of a given sequence: likelihood, cross-entropy and perplexity.

logits (tokens, vocab_size): row t depends on the tokens before ``targets[t]``.
targets (tokens,): the tokens of the sequence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from attnengine.reference.arrays import Floats, Integers
from attnengine.reference.softmax import log_softmax

Targets = Sequence[int] | Integers


def token_log_probs(logits: Floats, targets: Targets) -> Floats:
    """Return log P(token | tokens before it) for each token: (tokens,)."""
    picked: Floats = log_softmax(logits)[np.arange(len(targets)), np.asarray(targets)]
    return picked


def log_likelihood(logits: Floats, targets: Targets) -> float:
    """Return log P(targets), by the chain rule the sum of the tokens' log-probabilities."""
    return float(token_log_probs(logits, targets).sum())


def likelihood(logits: Floats, targets: Targets) -> float:
    """Return P(targets), the product over the tokens; it underflows to 0 for long sequences."""
    return math.exp(log_likelihood(logits, targets))


def cross_entropy(logits: Floats, targets: Targets) -> float:
    """-log P(targets) / tokens, in nats per token."""
    return -log_likelihood(logits, targets) / len(targets)


def perplexity(logits: Floats, targets: Targets) -> float:
    """exp(cross-entropy): the size of a vocabulary of equally likely tokens of equal entropy."""
    return math.exp(cross_entropy(logits, targets))
