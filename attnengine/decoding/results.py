"""The results of searches and scoring."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class BeamTree:
    """The tree of every hypothesis that a search has kept: a node per token.

    Node 0 is the root: the last token of the prompt, or the decoder start token without a prompt.
    """

    ids: NDArray[np.int32]  # (nodes,)
    parents: NDArray[np.int32]  # (nodes,) index of the parent node, -1 for the root
    log_probs: NDArray[np.float64]  # (nodes,) sum over the tokens from the root to this node
    ended: NDArray[np.bool_]  # (nodes,) whether the node is an end token

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as lists, ready for JSON; infinite numbers become None."""
        return {
            "ids": self.ids.tolist(),
            "parents": self.parents.tolist(),
            "log_probs": [_finite(x) for x in self.log_probs.tolist()],
            "ended": self.ended.tolist(),
        }

    def __repr__(self) -> str:
        return f"BeamTree({len(self.ids)} nodes, {int(self.ended.sum())} ended)"


@dataclass(frozen=True)
class SearchHypothesis:
    """One ended hypothesis of a search without a tokenizer.

    `Hypothesis` explains the fields except ``rows``: for each of ``token_log_probs``, the row of
    its step's logits.
    """

    ids: list[int]
    score: float
    log_prob: float
    token_log_probs: list[float] = field(repr=False)
    finish_reason: str
    rows: list[int] = field(repr=False)


@dataclass(frozen=True)
class Hypothesis:
    """One translation of a source, or one continuation of a prompt.

    ``score`` is log_prob / length ** length_penalty; the length includes the end token.
    ``finish_reason`` is "stop" for an end token and "length" for the maximum length.

    ``tokens``, ``ids`` and the rows of ``attention`` (target, source) exclude the end token.
    ``token_log_probs`` includes it, and sums to ``log_prob``. A forced prefix is part of text,
    tokens, ids and attention, but not of the log-probabilities.
    """

    text: str
    tokens: list[str] = field(repr=False)
    ids: list[int] = field(repr=False)
    score: float
    log_prob: float
    token_log_probs: list[float] = field(repr=False)
    finish_reason: str
    attention: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, ready for JSON; ``attention`` only if it is set.

        Numbers that are not finite become None.
        """
        fields: dict[str, Any] = {
            "text": self.text,
            "tokens": self.tokens,
            "ids": self.ids,
            "score": _finite(self.score),
            "log_prob": _finite(self.log_prob),
            "token_log_probs": [_finite(x) for x in self.token_log_probs],
            "finish_reason": self.finish_reason,
        }
        if self.attention is not None:
            fields["attention"] = self.attention.tolist()
        return fields


@dataclass(frozen=True)
class Result:
    """The result of one text: its hypotheses, best first. Beam search finds distinct ones."""

    hypotheses: list[Hypothesis]
    tree: BeamTree | None = field(default=None, compare=False)

    @property
    def text(self) -> str:
        """The text of the best hypothesis."""
        return self.hypotheses[0].text

    @property
    def score(self) -> float:
        """The score of the best hypothesis."""
        return self.hypotheses[0].score

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, ready for JSON; ``tree`` only if it is set.

        Numbers that are not finite become None.
        """
        fields: dict[str, Any] = {
            "text": self.text,
            "score": _finite(self.score),
            "hypotheses": [hypothesis.to_dict() for hypothesis in self.hypotheses],
        }
        if self.tree is not None:
            fields["tree"] = self.tree.to_dict()
        return fields

    def __repr__(self) -> str:
        return (
            f"Result(text={self.text!r}, score={self.score:.4f}, {len(self.hypotheses)} hypotheses)"
        )


@dataclass(frozen=True)
class Score:
    """The log-probability of a given text under a model."""

    tokens: list[str]  # the scored tokens, with the end token if it was scored
    ids: list[int]
    token_log_probs: list[float]

    @property
    def log_prob(self) -> float:
        """The log-probability of the text: the sum over its tokens."""
        return math.fsum(self.token_log_probs)

    @property
    def perplexity(self) -> float:
        """``exp(-log_prob / tokens)``; NaN if no token was scored."""
        if not self.token_log_probs:
            return math.nan
        mean = -self.log_prob / len(self.token_log_probs)
        return math.exp(mean) if mean < _LARGEST_EXPONENT else math.inf

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, ready for JSON; NaN and infinity become None."""
        return {
            "log_prob": _finite(self.log_prob),
            "perplexity": _finite(self.perplexity),
            "tokens": self.tokens,
            "ids": self.ids,
            "token_log_probs": [_finite(x) for x in self.token_log_probs],
        }

    def __repr__(self) -> str:
        return (
            f"Score(log_prob={self.log_prob:.4f}, perplexity={self.perplexity:.4f},"
            f" {len(self.tokens)} tokens)"
        )


_LARGEST_EXPONENT = math.log(np.finfo(np.float64).max)


def _finite(value: float) -> float | None:
    """Replace infinities and NaN by None, as JSON cannot express them."""
    return float(value) if math.isfinite(value) else None


@dataclass(frozen=True)
class Transcription:
    """The transcription of a recording: ``windows`` holds a Result for every 30 seconds."""

    language: str | None  # None if the model has only one language
    windows: list[Result] = field(repr=False)

    @property
    def text(self) -> str:
        """The text of all windows."""
        return "".join(window.text for window in self.windows)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, ready for JSON."""
        windows = [window.to_dict() for window in self.windows]
        return {"language": self.language, "text": self.text, "windows": windows}
