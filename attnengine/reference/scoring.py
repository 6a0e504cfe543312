"""How probable a sequence is: likelihood, cross-entropy, perplexity.

logits (tokens, vocab_size): row t was computed from everything before ``targets[t]``;
targets (tokens,): the tokens that did follow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from attnengine.reference.arrays import Floats, Integers
from attnengine.reference.softmax import log_softmax

Targets = Sequence[int] | Integers


def token_log_probs(logits: Floats, targets: Targets) -> Floats:
    """Of each token, log P(token | tokens before it): (tokens,)."""
    picked: Floats = log_softmax(logits)[np.arange(len(targets)), np.asarray(targets)]
    return picked


def log_likelihood(logits: Floats, targets: Targets) -> float:
    """The sum over the tokens, which is log P(targets) by the chain rule."""
    return float(token_log_probs(logits, targets).sum())


def likelihood(logits: Floats, targets: Targets) -> float:
    """P(targets), the product over the tokens; underflows to 0 for long sequences."""
    return math.exp(log_likelihood(logits, targets))


def cross_entropy(logits: Floats, targets: Targets) -> float:
    """-log P(targets) / tokens, in nats per token."""
    return -log_likelihood(logits, targets) / len(targets)


def perplexity(logits: Floats, targets: Targets) -> float:
    """exp(cross-entropy): as uncertain as a fair choice among so many tokens."""
    return math.exp(cross_entropy(logits, targets))
