"""The result of every loader: a config, tensors with canonical names, vocabularies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

TokenizerFile: TypeAlias = "Path | bytes"  # the path of a file, or its content


@dataclass(frozen=True)
class Vocabulary:
    """The tokens of a model in the order of their ids."""

    tokens: tuple[str, ...]

    @cached_property
    def ids(self) -> dict[str, int]:
        """Id of each token; a duplicate token has its last id."""
        return {token: i for i, token in enumerate(self.tokens)}


@dataclass(frozen=True)
class Tensor:
    """One weight of a file; its numbers are read on demand."""

    name: str  # name in the file, for error messages
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], NDArray[np.float32]]
    # Reads the rows from begin to end, for files that can read them alone.
    read_rows: Callable[[int, int], NDArray[np.float32]] | None = None

    @classmethod
    def of(cls, name: str, array: NDArray[Any]) -> Tensor:
        """Wrap an array in memory."""
        return cls(name, array.shape, str(array.dtype), lambda: np.asarray(array, np.float32))


@dataclass(frozen=True)
class Checkpoint:
    """A model on disk, with canonical names."""

    config: dict[str, Any]
    tensors: Mapping[str, Tensor]
    vocabularies: Mapping[str, Vocabulary]  # "source" and "target", or "vocabulary"
    path: Path
    # File name in a native folder -> file of a tokenizer library.
    tokenizer_files: Mapping[str, TokenizerFile] = field(default_factory=dict)
    # Returns a text that changes with the config and the weights on disk; given if a packed file
    # may lie beside them.
    fingerprint: Callable[[], str] | None = None


def vocabularies(named: Mapping[str, Sequence[str]]) -> dict[str, Vocabulary]:
    """Vocabularies from plain lists of tokens."""
    return {name: Vocabulary(tuple(tokens)) for name, tokens in named.items()}
