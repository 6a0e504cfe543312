"""The least time that a case can take on a machine: bytes over bandwidth, operations over peak."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine.profiling.sizes import BYTES as PRECISIONS
from benchmarks.peers.case import Case

# Of a parameter. Blocks of 32 share a 16-bit number in llama.cpp.
BYTES = {**PRECISIONS, "f32": 4.0, "bf16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}
# The arithmetic that the machine is measured with. Weights of 4 bits are unpacked to 8.
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
    """What the machine can do with the threads of the run."""

    bandwidth: float  # bytes a second, read from memory
    peaks: dict[str, float]  # operations a second by arithmetic

    def or_better(self, other: Limits) -> Limits:
        """The larger of each."""
        peaks = {kind: max(rate, other.peaks[kind]) for kind, rate in self.peaks.items()}
        return Limits(max(self.bandwidth, other.bandwidth), peaks)


@dataclass(frozen=True)
class Bound:
    """The least seconds, and whether "memory" or "compute" sets them."""

    seconds: float
    by: str


def precision_of(variant: str) -> str:
    """The weights' type: what stands before the first hyphen of a variant."""
    return variant.partition("-")[0]


def bound(case: Case, variant: str, limits: Limits) -> Bound:
    """No cache is counted: what fits into one may take less than the bytes say."""
    precision = precision_of(variant)
    kept = case.numbers_kept * (4 if ARITHMETIC[precision] == "float32" else 2)
    moved = case.weights_read * BYTES[precision] + kept + case.float_bytes
    memory = moved / limits.bandwidth
    compute = case.operations / limits.peaks[ARITHMETIC[precision]]
    return Bound(memory, "memory") if memory >= compute else Bound(compute, "compute")
