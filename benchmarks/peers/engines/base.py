"""The interface of an engine: one class per engine, one process per variant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.models import Model, folder

Ids = Sequence[int]
RNNS = ("rnn_lm", "rnn_seq2seq")


class UnsupportedError(Exception):
    """The engine lacks the operation."""


@dataclass(frozen=True)
class Setup:
    """The model, the variant and the settings that one process measures."""

    model: Model
    variant: str  # precision and, after a hyphen, mode: "int8-inter2"
    threads: int
    cache: Path  # folder of models in the formats of all engines

    @property
    def precision(self) -> str:
        return self.variant.partition("-")[0]

    @property
    def mode(self) -> str:
        return self.variant.partition("-")[2]

    @property
    def folder(self) -> Path:
        """The model's folder for transformers and attnengine."""
        return folder(self.model, self.cache)


class Engine:
    """A loaded model. Its load time includes the import of the engine.

    Operations take ids as plain lists and return the number of units that they produced, so that
    no engine gains by stopping early. They convert their results to plain Python or NumPy data.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup

    @staticmethod
    def variants(model: Model) -> list[str]:
        """The variants that can run the model; none if the engine lacks its family."""
        raise NotImplementedError

    @staticmethod
    def prepare(setup: Setup) -> None:
        """Write the files that `__init__` reads; runs in a process of its own."""
        _ = setup.folder

    def translate(
        self, sources: Sequence[Ids], batch_size: int, beam_size: int, new_tokens: int
    ) -> int:
        """Find best hypotheses of exactly ``new_tokens`` tokens without an end token.

        The sources have no end token. At most ``batch_size`` of them run in a batch, in any
        order. Returns the number of tokens.
        """
        raise UnsupportedError

    def prefill(self, prompt: Ids) -> int:
        """Find the most probable token after the prompt. Returns the prompt's length."""
        raise UnsupportedError

    def generate(self, prompt: Ids, new_tokens: int, beam_size: int) -> int:
        """Continue one prompt of a language model; greedy if ``beam_size`` is 1."""
        raise UnsupportedError

    def score(self, sequences: Sequence[Ids]) -> int:
        """Score sequences of equal length. Returns the number of scored tokens."""
        raise UnsupportedError

    def encode(self, batch: Sequence[Ids]) -> int:
        """Encode texts of equal length to states or one vector each. Returns their number."""
        raise UnsupportedError

    def operator(self, kind: str, shape: dict[str, int], calls: int) -> int:
        """Run an operator of `benchmarks.peers.operators` ``calls`` times on the same inputs."""
        raise UnsupportedError
