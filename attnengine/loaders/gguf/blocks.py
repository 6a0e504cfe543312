"""Unpacks quantised blocks of GGUF files to float32.

A block holds 32 or 256 neighbouring weights of a row as small integers with float16 scales. The
layouts are those of ggml (ggml-common.h). Products of scales and integers are exact in float32, so
at most one addition rounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Blocks = NDArray[np.void]  # (blocks,), the structure of one format
_CHUNK = 1 << 16  # weights unpacked at a time, so that temporaries stay in the CPU's cache


@dataclass(frozen=True)
class BlockFormat:
    """The layout of one type; `unpack` writes the weights of blocks to `out` (blocks, weights)."""

    weights: int
    layout: np.dtype[Any]
    unpack: Callable[[Blocks, Floats], None]

    def read(self, data: memoryview, shape: tuple[int, ...]) -> Floats:
        """Return the weights (*shape) of consecutive blocks."""
        blocks: Blocks = np.frombuffer(data, self.layout)
        out = np.empty((len(blocks), self.weights), np.float32)
        step = _CHUNK // self.weights
        with np.errstate(over="ignore", invalid="ignore"):  # scales may be infinite or NaN
            for start in range(0, len(blocks), step):
                self.unpack(blocks[start : start + step], out[start : start + step])
        return out.reshape(shape)


def _scale(blocks: Blocks, field: str) -> Floats:
    """Return a field as float32 scales, (blocks, 1)."""
    scales: Floats = blocks[field].astype(np.float32)[:, None]
    return scales


def _nibbles(packed: Bytes) -> Bytes:
    """Split bytes (..., n) into lower and upper half-bytes (..., 2, n)."""
    return np.stack((packed & 15, packed >> 4), axis=-2)


def _q8_0(blocks: Blocks, out: Floats) -> None:
    np.multiply(_scale(blocks, "d"), blocks["q"], out=out)


def _q4(blocks: Blocks) -> Bytes:
    return _nibbles(blocks["qs"]).reshape(-1, 32)


def _q5(blocks: Blocks) -> Bytes:
    """Return integers with 5 bits: four as in Q4_0, and bit j of qh as the fifth of weight j."""
    fifth = np.unpackbits(blocks["qh"], axis=1, bitorder="little")  # (blocks, 32)
    numbers: Bytes = _q4(blocks) | fifth << _FOUR
    return numbers


def _centred(numbers: Callable[[Blocks], Bytes], zero: int) -> Callable[[Blocks, Floats], None]:
    """Return a function that computes d * (number - zero)."""

    def unpack(blocks: Blocks, out: Floats) -> None:
        np.multiply(_scale(blocks, "d"), numbers(blocks).view(np.int8) - np.int8(zero), out=out)

    return unpack


def _shifted(numbers: Callable[[Blocks], Bytes]) -> Callable[[Blocks, Floats], None]:
    """Return a function that computes d * number + m."""

    def unpack(blocks: Blocks, out: Floats) -> None:
        np.multiply(_scale(blocks, "d"), numbers(blocks), out=out)
        out += _scale(blocks, "m")

    return unpack


def _six_bits(packed: Bytes) -> tuple[Bytes, Bytes]:
    """Unpack bytes (blocks, 12) to 6-bit scales and minima of the sub-blocks, (blocks, 8) each."""
    first, second, third = packed[:, :4], packed[:, 4:8], packed[:, 8:]
    scales = np.hstack((first & 63, third & 15 | first >> 6 << 4))
    minima = np.hstack((second & 63, third >> 4 | second >> 6 << 4))
    return scales, minima


def _super_block(blocks: Blocks, numbers: Bytes, out: Floats) -> None:
    """Compute d * scale * number - dmin * minimum; numbers (blocks, 8, 32)."""
    scales, minima = _six_bits(blocks["scales"])
    wide = out.reshape(-1, 8, 32)  # a view
    np.multiply((_scale(blocks, "d") * scales)[:, :, None], numbers, out=wide)
    wide -= (_scale(blocks, "dmin") * minima)[:, :, None]


def _q4_k(blocks: Blocks, out: Floats) -> None:
    """Unpack Q4_K: 32 bytes hold the integers of two sub-blocks."""
    _super_block(blocks, _nibbles(blocks["qs"].reshape(-1, 4, 32)).reshape(-1, 8, 32), out)


def _q5_k(blocks: Blocks, out: Floats) -> None:
    """Unpack Q5_K: like Q4_K, and bit s of qh[l] is the fifth bit of weight l in sub-block s."""
    numbers = _nibbles(blocks["qs"].reshape(-1, 4, 32)).reshape(-1, 8, 32)
    fifth = blocks["qh"][:, None] >> _EIGHT[:, None] & 1  # (blocks, 8, 32)
    _super_block(blocks, numbers | fifth << _FOUR, out)


def _q6_k(blocks: Blocks, out: Floats) -> None:
    """Unpack Q6_K: d * scale * (number - 32), one scale per 16 weights, packed by half blocks."""
    low = _nibbles(blocks["ql"].reshape(-1, 2, 64)).reshape(-1, 2, 4, 32)
    high = blocks["qh"].reshape(-1, 2, 1, 32) >> _PAIRS[:, None] & 3  # (blocks, 2, 4, 32)
    numbers = (low | high << 4).view(np.int8) - np.int8(32)
    scales = _scale(blocks, "d") * blocks["scales"]  # (blocks, 16)
    np.multiply(scales[:, :, None], numbers.reshape(-1, 16, 16), out=out.reshape(-1, 16, 16))


_FOUR = np.uint8(4)
_EIGHT = np.arange(8, dtype=np.uint8)
_PAIRS = np.arange(0, 8, 2, dtype=np.uint8)
_HALF = "<f2"


def _layout(*fields: tuple[str, str] | tuple[str, str, int]) -> np.dtype[Any]:
    return np.dtype(list(fields))


_D, _M = ("d", _HALF), ("m", _HALF)
_K = (_D, ("dmin", _HALF), ("scales", "u1", 12))
FORMATS = {
    "Q4_0": BlockFormat(32, _layout(_D, ("qs", "u1", 16)), _centred(_q4, 8)),
    "Q4_1": BlockFormat(32, _layout(_D, _M, ("qs", "u1", 16)), _shifted(_q4)),
    "Q5_0": BlockFormat(32, _layout(_D, ("qh", "u1", 4), ("qs", "u1", 16)), _centred(_q5, 16)),
    "Q5_1": BlockFormat(32, _layout(_D, _M, ("qh", "u1", 4), ("qs", "u1", 16)), _shifted(_q5)),
    "Q8_0": BlockFormat(32, _layout(_D, ("q", "i1", 32)), _q8_0),
    "Q4_K": BlockFormat(256, _layout(*_K, ("qs", "u1", 128)), _q4_k),
    "Q5_K": BlockFormat(256, _layout(*_K, ("qh", "u1", 32), ("qs", "u1", 128)), _q5_k),
    "Q6_K": BlockFormat(
        256, _layout(("ql", "u1", 128), ("qh", "u1", 64), ("scales", "i1", 16), _D), _q6_k
    ),
}
