from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from attnengine.loaders.gguf.blocks import FORMATS

# These decoders follow the table of formats one weight at a time, in exact arithmetic.
Block = bytes
Weights = Iterator[float]


def half(block: Block, at: int) -> float:
    (value,) = struct.unpack_from("<e", block, at)
    return float(value)


def nibble(packed: bytes, j: int) -> int:
    """Number j of 32 in 16 bytes: the first 16 fill the lower half-bytes."""
    return packed[j] & 15 if j < 16 else packed[j - 16] >> 4


def fifth_bit(block: Block, at: int, j: int) -> int:
    (bits,) = struct.unpack_from("<I", block, at)
    return int(bits >> j & 1) << 4


def q8_0(b: Block) -> Weights:
    return (half(b, 0) * n for n in struct.unpack_from("<32b", b, 2))


def q4_0(b: Block) -> Weights:
    return (half(b, 0) * (nibble(b[2:], j) - 8) for j in range(32))


def q4_1(b: Block) -> Weights:
    return (half(b, 0) * nibble(b[4:], j) + half(b, 2) for j in range(32))


def q5_0(b: Block) -> Weights:
    numbers = ((nibble(b[6:], j) | fifth_bit(b, 2, j)) - 16 for j in range(32))
    return (half(b, 0) * n for n in numbers)


def q5_1(b: Block) -> Weights:
    numbers = (nibble(b[8:], j) | fifth_bit(b, 4, j) for j in range(32))
    return (half(b, 0) * n + half(b, 2) for n in numbers)


def six_bits(q: bytes, j: int) -> tuple[int, int]:
    """Scale and minimum of sub-block j, with 6 bits each."""
    if j < 4:
        return q[j] & 63, q[j + 4] & 63
    return q[j + 4] & 15 | q[j - 4] >> 6 << 4, q[j + 4] >> 4 | q[j] >> 6 << 4


def with_minimum(b: Block, j: int, number: int) -> float:
    scale, minimum = six_bits(b[4:16], j // 32)
    return half(b, 0) * scale * number - half(b, 2) * minimum


def k_nibble(packed: bytes, j: int) -> int:
    """Number j: 32 bytes hold two sub-blocks of 32, first in the lower, then the upper halves."""
    byte = packed[j // 64 * 32 + j % 32]
    return byte >> 4 if j // 32 % 2 else byte & 15


def q4_k(b: Block) -> Weights:
    return (with_minimum(b, j, k_nibble(b[16:], j)) for j in range(256))


def q5_k(b: Block) -> Weights:
    fifth = (b[16 + j % 32] >> (j // 32) & 1 for j in range(256))
    return (with_minimum(b, j, k_nibble(b[48:], j) | bit << 4) for j, bit in enumerate(fifth))


def q6_k(b: Block) -> Weights:
    for j in range(256):
        part, l = j // 128, j % 32  # noqa: E741 - as in the table
        quarter = j % 128 // 32
        low = b[part * 64 + l + quarter % 2 * 32]
        low = low & 15 if quarter < 2 else low >> 4
        number = (low | (b[128 + part * 32 + l] >> 2 * quarter & 3) << 4) - 32
        (scale,) = struct.unpack_from("<b", b, 192 + part * 8 + l // 16 + 2 * quarter)
        yield half(b, 208) * scale * number


# format -> decoder of a block, bytes of a block, offsets of its scales
DECODERS: dict[str, tuple[Callable[[Block], Weights], int, tuple[int, ...]]] = {
    "Q8_0": (q8_0, 34, (0,)),
    "Q4_0": (q4_0, 18, (0,)),
    "Q4_1": (q4_1, 20, (0, 2)),
    "Q5_0": (q5_0, 22, (0,)),
    "Q5_1": (q5_1, 24, (0, 2)),
    "Q4_K": (q4_k, 144, (0, 2)),
    "Q5_K": (q5_k, 176, (0, 2)),
    "Q6_K": (q6_k, 210, (208,)),
}


def random_block(rng: np.random.Generator, size: int, scales: tuple[int, ...]) -> Block:
    """Random bytes with normal numbers as scales, because random scales may be infinite."""
    block = bytearray(rng.bytes(size))
    for at in scales:
        struct.pack_into("<e", block, at, rng.normal())
    return bytes(block)


@pytest.mark.parametrize("name", DECODERS)
def test_blocks_against_the_table(name: str) -> None:
    decode, size, scales = DECODERS[name]
    rng = np.random.default_rng(len(name))
    blocks = [random_block(rng, size, scales) for _ in range(24)]
    assert FORMATS[name].layout.itemsize == size

    found = FORMATS[name].read(memoryview(b"".join(blocks)), (12, 2 * FORMATS[name].weights))

    expected = np.array([list(decode(block)) for block in blocks])
    # Products are exact in float64 and in float32; one addition rounds.
    np.testing.assert_array_equal(found.reshape(expected.shape), expected.astype(np.float32))
    assert found.dtype == np.float32
    assert len(np.unique(found)) > 100


@pytest.mark.parametrize("name", DECODERS)
def test_many_blocks_and_none(name: str) -> None:
    """More blocks than are unpacked at a time, and no block."""
    _, size, scales = DECODERS[name]
    block = random_block(np.random.default_rng(3), size, scales)
    weights, count = FORMATS[name].weights, 2500
    read = FORMATS[name].read
    one = read(memoryview(block), (weights,))
    np.testing.assert_array_equal(
        read(memoryview(block * count), (count, weights)), np.tile(one, (count, 1))
    )
    assert read(memoryview(b""), (0, weights)).shape == (0, weights)


def test_scales_that_are_no_numbers() -> None:
    block = struct.pack("<e", np.inf) + bytes(range(32))
    found = FORMATS["Q8_0"].read(memoryview(block), (32,))
    assert np.isnan(found[0])
    assert np.isinf(found[1:]).all()
