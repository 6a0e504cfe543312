"""One step of beam search: C++ against the NumPy reference, one thread.

python -m pytest benchmarks/kernels/bench_beam_search.py
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from attnengine import _core
from attnengine.reference import beam_search as reference
from attnengine.reference.softmax import log_softmax

Kept = list[tuple[int, int]]  # (row, token) of each live hypothesis, best first


class Compiled:
    """A Search after its first step; the second step is timed."""

    def __init__(self, first: NDArray[np.float32], beam_size: int) -> None:
        options = _core.BeamSearchOptions(
            beam_size=beam_size,
            num_hypotheses=beam_size,
            rules=[_core.make_rule("end_tokens", [1], [])],
        )
        self.search = _core.Search()
        new = _core.NewSentence(number=0, options=options, past=[0], max_new_tokens=9)
        self.search.add([new])
        self.search.advance(first)

    def advance(self, logits: NDArray[np.float32]) -> None:
        self.search.advance(logits)

    def kept(self) -> Kept:
        return list(zip(self.search.parents.tolist(), self.search.tokens.tolist(), strict=True))


class Reference:
    """The NumPy reference after its first step; it reads the rows of all hypotheses as a matrix."""

    def __init__(self, first: NDArray[np.float32], beam_size: int) -> None:
        options = reference.Options(
            beam_size=beam_size, num_candidates=beam_size, end_tokens=[1], max_new_tokens=9
        )
        self.search = reference.Search(options)
        self.advance(first)

    def advance(self, logits: NDArray[np.float32]) -> None:
        rows = iter(logits)
        self.before = list(self.search.live)
        reference.keep(self.search, reference.expand(self.search, lambda tokens: next(rows)))

    def kept(self) -> Kept:
        nodes = [self.search.nodes[node] for node in self.search.live]
        return [(self.before.index(node.parent), node.token) for node in nodes]


class Sorted:
    """The fastest plain NumPy: log-softmax, and a partial sort of all continuations."""

    def __init__(self, first: NDArray[np.float32], beam_size: int) -> None:
        self.beam_size = beam_size
        self.log_probs = np.zeros(1, np.float32)
        self.advance(first)

    def advance(self, logits: NDArray[np.float32]) -> None:
        scores = (log_softmax(logits) + self.log_probs[:, None]).ravel()
        size = min(2 * self.beam_size, len(scores))
        best = np.argpartition(-scores, size - 1)[:size]
        best = best[np.argsort(-scores[best], kind="stable")]
        self.best = best[best % logits.shape[1] != 1][: self.beam_size]
        self.log_probs, self.vocab_size = scores[self.best], logits.shape[1]

    def kept(self) -> Kept:
        return [divmod(int(i), self.vocab_size) for i in self.best]


IMPLEMENTATIONS: dict[str, Any] = {"reference": Reference, "numpy": Sorted, "attnengine": Compiled}


@pytest.mark.parametrize("vocab_size", [1_000, 32_000])
@pytest.mark.parametrize("beam_size", [1, 5, 64, 256])
@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_advance(benchmark: Any, name: str, beam_size: int, vocab_size: int) -> None:
    if name == "reference" and beam_size * vocab_size > 1_000_000:
        pytest.skip("sorts every continuation: seconds a step")
    rng = np.random.default_rng(0)
    first = (4 * rng.standard_normal((1, vocab_size))).astype(np.float32)
    logits = (4 * rng.standard_normal((beam_size, vocab_size))).astype(np.float32)
    first[:, 1] = logits[:, 1] = -50  # no hypothesis ends
    benchmark.group = f"advance beam={beam_size} vocab={vocab_size}"

    def setup() -> tuple[tuple[Any, ...], dict[str, Any]]:
        self = IMPLEMENTATIONS[name](first, beam_size)
        searches.append(self)
        return (self, logits), {}

    searches: list[Any] = []
    benchmark.pedantic(lambda search, rows: search.advance(rows), setup=setup, rounds=10)

    expected = Sorted(first, beam_size)
    expected.advance(logits)
    same = [a == b for a, b in zip(searches[-1].kept(), expected.kept(), strict=True)]
    assert np.mean(same) > 0.95  # NumPy's float32 sums may swap neighbours
