"""What the harness asks of an engine: one class for each, one process for each of its variants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.models import Model, folder

Ids = Sequence[int]
RNNS = ("rnn_lm", "rnn_seq2seq")


class UnsupportedError(Exception):
    """The engine has no such operation."""


@dataclass(frozen=True)
class Setup:
    """What one process measures."""

    model: Model
    variant: str  # the precision, then what else is special about it: "int8-inter2"
    threads: int
    cache: Path  # where models lie, in the formats of all engines

    @property
    def precision(self) -> str:
        return self.variant.partition("-")[0]

    @property
    def mode(self) -> str:
        return self.variant.partition("-")[2]

    @property
    def folder(self) -> Path:
        """The model as transformers and attnengine read it."""
        return folder(self.model, self.cache)


class Engine:
    """A loaded model; making one is what counts as its load time, the import of the engine too.

    Operations take ids as plain lists and return how many units they really produced, so that no
    engine gains by stopping early. Results are plain Python or NumPy data when they return.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup

    @staticmethod
    def variants(model: Model) -> list[str]:
        """What can be measured with the model; nothing, if the engine does not have its family."""
        raise NotImplementedError

    @staticmethod
    def prepare(setup: Setup) -> None:
        """Writes what `__init__` reads, in a process of its own."""
        _ = setup.folder

    def translate(
        self, sources: Sequence[Ids], batch_size: int, beam_size: int, new_tokens: int
    ) -> int:
        """Best hypotheses of exactly ``new_tokens`` tokens, with no end token among them.

        The sources have no end token; at most ``batch_size`` of them run together, in any order.
        Returns the number of tokens.
        """
        raise UnsupportedError

    def prefill(self, prompt: Ids) -> int:
        """The most probable token after the prompt. Returns the prompt's length."""
        raise UnsupportedError

    def generate(self, prompt: Ids, new_tokens: int, beam_size: int) -> int:
        """As `translate` for one prompt of a language model; greedy with ``beam_size`` 1."""
        raise UnsupportedError

    def score(self, sequences: Sequence[Ids]) -> int:
        """The log-probability of sequences of one length. Returns the number of scored tokens."""
        raise UnsupportedError

    def encode(self, batch: Sequence[Ids]) -> int:
        """States of texts of one length, or one vector of each. Returns the number of texts."""
        raise UnsupportedError

    def operator(self, kind: str, shape: dict[str, int], calls: int) -> int:
        """Run an operator of `benchmarks.peers.operators` on one set of inputs ``calls`` times."""
        raise UnsupportedError
