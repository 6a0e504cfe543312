"""Types of the compiled module; the docstrings are in csrc/bindings."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

# search

class SearchOptions: ...

class BeamSearchOptions(SearchOptions):
    def __init__(
        self,
        *,
        beam_size: int,
        num_hypotheses: int,
        num_candidates: int,
        length_penalty: float,
        optimal: bool,
        end_tokens: Sequence[int] | NDArray[np.integer],
        min_new_tokens: int,
    ) -> None: ...

class SamplingOptions(SearchOptions):
    def __init__(
        self,
        *,
        temperature: float,
        top_k: int,
        seed: int,
        num_hypotheses: int,
        end_tokens: Sequence[int] | NDArray[np.integer],
        min_new_tokens: int,
    ) -> None: ...

class SearchHypothesis:
    @property
    def tokens(self) -> list[int]: ...
    @property
    def score(self) -> float: ...
    @property
    def log_prob(self) -> float: ...
    @property
    def token_log_probs(self) -> list[float]: ...
    @property
    def rows(self) -> list[int]: ...
    @property
    def finish_reason(self) -> str: ...

class Search:
    def __init__(
        self,
        options: SearchOptions,
        start_tokens: Sequence[int] | NDArray[np.integer],
        max_new_tokens: Sequence[int] | NDArray[np.integer],
        vocab_size: int,
        num_threads: int = 1,
    ) -> None: ...
    @property
    def tokens(self) -> Ints: ...
    @property
    def parents(self) -> Ints: ...
    @property
    def sentences(self) -> Ints: ...
    @property
    def done(self) -> bool: ...
    def advance(self, logits: Floats) -> None: ...
    def hypotheses(self, sentence: int) -> list[SearchHypothesis]: ...
    def tree(self, sentence: int) -> tuple[Ints, Ints, NDArray[np.float64], NDArray[np.bool_]]: ...
    def finished(self, sentence: int) -> bool: ...
    def stable(self, sentence: int) -> list[int]: ...

class BeamSearch:
    def __init__(
        self,
        *,
        beam_size: int = 5,
        start_token: int,
        end_tokens: Sequence[int] | NDArray[np.integer],
        max_new_tokens: int,
        num_hypotheses: int | None = None,
        num_candidates: int | None = None,
        length_penalty: float = 1.0,
        stopping: str = "candidates",
        min_new_tokens: int = 0,
    ) -> None: ...
    @property
    def tokens(self) -> Ints: ...
    @property
    def parents(self) -> Ints: ...
    @property
    def done(self) -> bool: ...
    @property
    def hypotheses(self) -> list[SearchHypothesis]: ...
    @property
    def tree(self) -> tuple[Ints, Ints, NDArray[np.float64], NDArray[np.bool_]]: ...
    def advance(self, logits: Floats) -> None: ...
