"""A case: one operation of an engine on one model, with its operations and bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from attnengine.profiling.speed import Multiplied, multiplied
from benchmarks.peers.models import Model


@dataclass(frozen=True)
class Case:
    """One measurement: the engine's method ``op``, called with ``params``, gives ``units``."""

    id: str
    op: str
    params: dict[str, Any] = field(repr=False)
    units: int
    unit: str  # "tok/s", "sent/s" or "us/call"
    operations: float  # additions and multiplications in matrix products
    weights_read: float = 0.0  # parameters read from memory
    float_bytes: float = 0.0  # other data, float32 in every precision
    numbers_kept: float = 0.0  # keys and values: float32 if the weights are, else 16 bits


@dataclass(frozen=True)
class Group:
    """The cases of one model."""

    model: Model
    cases: list[Case]


@dataclass(frozen=True)
class Workload:
    """A table of results."""

    name: str
    title: str
    groups: list[Group]


def parameters(model: Model) -> Multiplied:
    """The number of weight-matrix elements that multiply each token."""
    return multiplied(model.shapes(), model.vocab_size, encoder=model.family == "bert")
