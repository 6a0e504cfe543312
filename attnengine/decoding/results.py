"""What a search returns."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class BeamTree:
    """Every continuation that a search kept, as nodes; node 0 is the root.

    The root is the last token of the prompt (the decoder start token without a prefix).
    """

    ids: NDArray[np.int32]  # (nodes,)
    parents: NDArray[np.int32]  # (nodes,) index of the node before, -1 for the root
    log_probs: NDArray[np.float64]  # (nodes,) of everything from the root to here
    ended: NDArray[np.bool_]  # (nodes,) ended there, as a candidate

    def to_dict(self) -> dict[str, Any]:
        """The same as lists, fit for JSON."""
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
    """One finished hypothesis of a search without a vocabulary.

    Its fields are those of `Hypothesis` that need no text, and ``rows``: which row of each step
    predicted the token, one for each of ``token_log_probs``.
    """

    ids: list[int]
    score: float
    log_prob: float
    token_log_probs: list[float] = field(repr=False)
    finish_reason: str
    rows: list[int] = field(repr=False)


@dataclass(frozen=True)
class Hypothesis:
    """One continuation of a text.

    ``score`` is log_prob / length ** length_penalty, where length counts the generated tokens
    with the end token. ``tokens``, ``ids`` and the rows of ``attention`` (target, source) leave
    the end token out; ``token_log_probs`` has it when ``finish_reason`` is "stop" ("length":
    the maximum length was reached), so that it sums to ``log_prob``. A forced prefix stands in
    text, tokens, ids and attention only.
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
        """The same as plain values, fit for JSON; ``attention`` only when there is one."""
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
    """What became of one text: its hypotheses, best first and distinct."""

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
        """The same as plain values, fit for JSON; ``tree`` only when there is one."""
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
    """How probable a model finds a text that is given."""

    tokens: list[str]  # those that were scored, the end token included where it was
    ids: list[int]
    token_log_probs: list[float]

    @property
    def log_prob(self) -> float:
        """The log-probability of the text: the sum over its tokens."""
        return math.fsum(self.token_log_probs)

    @property
    def perplexity(self) -> float:
        """``exp(-log_prob / tokens)``; NaN when no token was scored."""
        if not self.token_log_probs:
            return math.nan
        mean = -self.log_prob / len(self.token_log_probs)
        return math.exp(mean) if mean < _LARGEST_EXPONENT else math.inf

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, fit for JSON."""
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
    """JSON has neither infinities nor NaN: null stands for them."""
    return float(value) if math.isfinite(value) else None


@dataclass(frozen=True)
class Transcription:
    """What is said in a recording: ``windows`` has a Result for every 30 seconds."""

    language: str | None  # None where the model knows one language only
    windows: list[Result] = field(repr=False)

    @property
    def text(self) -> str:
        """The text of all windows."""
        return "".join(window.text for window in self.windows)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, fit for JSON."""
        windows = [window.to_dict() for window in self.windows]
        return {"language": self.language, "text": self.text, "windows": windows}
