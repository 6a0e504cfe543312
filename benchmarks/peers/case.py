"""What is measured: one operation of an engine on one model, and what it costs at least."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from attnengine.profiling.speed import Multiplied, multiplied
from benchmarks.peers.models import Model


@dataclass(frozen=True)
class Case:
    """One measurement: ``op`` of the engine, called with ``params``, gives ``units``."""

    id: str
    op: str
    params: dict[str, Any] = field(repr=False)
    units: int
    unit: str  # "tok/s", "sent/s" or "us/call"
    operations: float  # of the matrix products, a multiplication and an addition each
    weights_read: float = 0.0  # parameters that have to come from memory
    float_bytes: float = 0.0  # what is read besides and is float32 whatever the precision
    numbers_kept: float = 0.0  # of keys and values that are read, float32 beside such weights


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
    """How many elements of weight matrices each token is multiplied with."""
    return multiplied(model.shapes(), model.vocab_size, encoder=model.family == "bert")
