"""Conversion of the hypotheses of a search to results with text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from attnengine.decoding.loop import Found
from attnengine.decoding.options import SearchOptions
from attnengine.decoding.results import BeamTree, Hypothesis, Result

if TYPE_CHECKING:
    from attnengine.tokenizers import Tokenizer


def to_result(
    found: Found, prefix: list[int], tokenizer: Tokenizer, after: Sequence[int] = ()
) -> Result:
    """Decode hypotheses to text, with the forced ``prefix`` before the new tokens of each.

    ``after`` is the prompt that the hypotheses continue; the text does not include it.
    """
    hypotheses = []
    for place, hypothesis in enumerate(found.hypotheses):
        ids = prefix + hypothesis.tokens
        hypotheses.append(
            Hypothesis(
                text=tokenizer.decode(ids, after),
                tokens=tokenizer.tokens(ids),
                ids=ids,
                score=hypothesis.score,
                log_prob=hypothesis.log_prob,
                token_log_probs=hypothesis.token_log_probs,
                finish_reason=hypothesis.finish_reason,
                attention=found.attention[place] if found.attention is not None else None,
            )
        )
    return Result(hypotheses, found.tree)


def empty_result(start_token: int, options: SearchOptions) -> Result:
    """Return the result of a source without tokens: an empty text of probability 1."""
    attention = np.zeros((0, 0), np.float32) if options.return_attention else None
    hypothesis = Hypothesis("", [], [], 0.0, 0.0, [], "stop", attention)
    if not options.return_tree:
        return Result([hypothesis])
    root = BeamTree(
        ids=np.array([start_token], np.int32),
        parents=np.array([-1], np.int32),
        log_probs=np.zeros(1),
        ended=np.zeros(1, np.bool_),
    )
    return Result([hypothesis], root)
