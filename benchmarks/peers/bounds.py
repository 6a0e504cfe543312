"""Lower bounds of a case's time on a machine: bytes over bandwidth, operations over peak."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine.profiling.sizes import BYTES as PRECISIONS
from benchmarks.peers.case import Case

# Bytes of a parameter. In llama.cpp blocks of 32 share a 16-bit scale.
BYTES = {**PRECISIONS, "f32": 4.0, "bf16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}
# Type of weights -> the arithmetic that limits their products. 4-bit weights are unpacked to int8.
ARITHMETIC = {
    "float32": "float32",
    "f32": "float32",
    "bfloat16": "bfloat16",
    "bf16": "bfloat16",
    "int8": "int8",
    "q8_0": "int8",
    "q4_0": "int8",
    "int4": "int8",
}


@dataclass(frozen=True)
class Limits:
    """The machine's limits with the run's number of threads."""

    bandwidth: float  # bytes per second read from memory
    peaks: dict[str, float]  # arithmetic -> operations per second

    def or_better(self, other: Limits) -> Limits:
        """The larger value of each limit."""
        peaks = {kind: max(rate, other.peaks[kind]) for kind, rate in self.peaks.items()}
        return Limits(max(self.bandwidth, other.bandwidth), peaks)


@dataclass(frozen=True)
class Bound:
    """The lower bound in seconds, and whether "memory" or "compute" sets it."""

    seconds: float
    by: str


def precision_of(variant: str) -> str:
    """The type of the weights: the part of a variant before the first hyphen."""
    return variant.partition("-")[0]


def bound(case: Case, variant: str, limits: Limits) -> Bound:
    """The lower bound of a case; data that stay in the CPU's caches may be faster."""
    precision = precision_of(variant)
    kept = case.numbers_kept * (4 if ARITHMETIC[precision] == "float32" else 2)
    moved = case.weights_read * BYTES[precision] + kept + case.float_bytes
    memory = moved / limits.bandwidth
    compute = case.operations / limits.peaks[ARITHMETIC[precision]]
    return Bound(memory, "memory") if memory >= compute else Bound(compute, "compute")
