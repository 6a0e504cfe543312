"""Weights computed from other weights when they are read: transposed, joined, extended."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine.errors import FormatError
from attnengine.loaders.checkpoint import Tensor

# A suffix of a canonical name makes the weight a part of another. "#1" is the second block of
# rows, "@1" the second block of columns, "+1" the second term of a sum. "/1" is the second block on
# the diagonal, with zeros beside it.
_PART = re.compile(r"(.*)([#@/+])([0-9])")


def derived(
    tensors: Sequence[Tensor], shape: Sequence[int], compute: Callable[..., NDArray[Any]]
) -> Tensor:
    """Return a weight that `compute` makes from the arrays of others."""

    def read() -> NDArray[np.float32]:
        return np.ascontiguousarray(compute(*(tensor.read() for tensor in tensors)), np.float32)

    return Tensor(" and ".join(t.name for t in tensors), tuple(shape), tensors[0].dtype, read)


def transposed(tensor: Tensor) -> Tensor:
    """Transpose a matrix; a vector stays as it is."""
    if len(tensor.shape) != 2:
        return tensor
    return derived([tensor], tensor.shape[::-1], lambda array: array.T)


def vector(tensor: Tensor) -> Tensor:
    """Return (1, size) and (size, 1) as (size,), and other weights unchanged."""
    if len(tensor.shape) != 2 or 1 not in tensor.shape:
        return tensor
    size = max(tensor.shape)
    return derived([tensor], (size,), lambda array: array.reshape(size))


def part(tensor: Tensor, start: int, stop: int) -> Tensor:
    """Return the rows [start, stop) of a weight as a weight."""
    named, rows = replace(tensor, name=f"{tensor.name}[{start}:{stop}]"), tensor.read_rows
    cut = derived([named], (stop - start, *tensor.shape[1:]), lambda array: array[start:stop])
    if rows is None:
        return cut
    return replace(cut, read_rows=lambda begin, end: rows(start + begin, start + end))


def equal_rows(tensor: Tensor, count: int, path: Path) -> int:
    """Rows of each of ``count`` equal parts; `FormatError` where a weight has none."""
    if not tensor.shape or tensor.shape[0] % count:
        raise FormatError(f"{path}: {tensor.name} is {tensor.shape}, expected {count} equal parts")
    return tensor.shape[0] // count


def with_row(tensor: Tensor, value: float) -> Tensor:
    """Return a weight with an additional row, filled with `value`."""

    def extend(array: NDArray[Any]) -> NDArray[Any]:
        return np.pad(array, [(0, 1), *[(0, 0)] * (array.ndim - 1)], constant_values=value)

    return derived([tensor], (tensor.shape[0] + 1, *tensor.shape[1:]), extend)


def rotary_halves(tensor: Tensor, heads: object, path: Path) -> Tensor:
    """Reorder each head's rows x0 x1 x2 x3 ... (rotary pairs) to x0 x2 ... x1 x3 ..."""
    rows = tensor.shape[0] if tensor.shape else 0
    if not isinstance(heads, int) or heads < 1 or rows % (2 * heads):
        raise FormatError(
            f"{path}: {tensor.name} has {rows} rows, expected pairs of them for {heads!r} heads"
        )

    def turn(array: NDArray[Any]) -> NDArray[Any]:
        pairs = array.reshape(heads, -1, 2, *array.shape[1:])
        halves: NDArray[Any] = pairs.swapaxes(1, 2).reshape(array.shape)
        return halves

    return derived([tensor], tensor.shape, turn)


def oriented(tensors: Mapping[str, Tensor], vectors: str, kept: str) -> dict[str, Tensor]:
    """Weights of toolkits that store (input, output), as (output, input).

    vectors: pattern of names of vectors that are stored as a row or a column.
    kept: pattern of names of matrices that stay as they are, such as embeddings.
    """
    turned = {}
    for name, tensor in tensors.items():
        if re.fullmatch(vectors, name):
            turned[name] = vector(tensor)
        else:
            turned[name] = tensor if re.fullmatch(kept, name) else transposed(tensor)
    return turned


def joined(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Join the parts of weights; `FormatError` when their shapes do not fit."""
    whole: dict[str, Tensor] = {}
    parts: dict[tuple[str, str], dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        match = _PART.fullmatch(name)
        if match:
            parts.setdefault((match[1], match[2]), {})[match[3]] = tensor
        else:
            whole[name] = tensor
    for (name, kind), group in parts.items():
        if name in whole:
            raise FormatError(f"{path}: {whole[name].name} and others are both {name}")
        whole[name] = _put_together([group[number] for number in sorted(group)], kind, path)
    return whole


def _put_together(tensors: Sequence[Tensor], kind: str, path: Path) -> Tensor:
    if kind == "/":
        return block_diagonal(tensors, path)
    axis = {"#": 0, "@": 1, "+": -1}[kind]
    first = tensors[0].shape
    for tensor in tensors:
        fits = len(tensor.shape) == len(first) > axis and all(
            a == b for i, (a, b) in enumerate(zip(tensor.shape, first, strict=True)) if i != axis
        )
        if not fits:
            raise FormatError(
                f"{path}: {tensors[0].name} is {first} and {tensor.name} is {tensor.shape}, which "
                "are no parts of one weight"
            )
    if kind == "+":
        return derived(tensors, first, lambda *arrays: np.sum(arrays, axis=0))
    shape = list(first)
    shape[axis] = sum(tensor.shape[axis] for tensor in tensors)
    return derived(tensors, shape, lambda *arrays: np.concatenate(arrays, axis=axis))


def gates_ordered(tensor: Tensor, order: Sequence[int], path: Path) -> Tensor:
    """Blocks of rows in another order: block i of the result is block order[i] of the weight."""
    equal_rows(tensor, len(order), path)

    def reorder(array: NDArray[Any]) -> NDArray[Any]:
        blocks = np.split(array, len(order))
        return np.concatenate([blocks[i] for i in order])

    return derived([tensor], tensor.shape, reorder)


def block_diagonal(tensors: Sequence[Tensor], path: Path) -> Tensor:
    """Matrices on the diagonal of a larger one, or vectors concatenated."""
    rank = len(tensors[0].shape)
    if rank not in (1, 2) or any(len(tensor.shape) != rank for tensor in tensors):
        raise FormatError(f"{path}: {tensors[0].name} is {tensors[0].shape}, expected a matrix")
    shape = [sum(tensor.shape[axis] for tensor in tensors) for axis in range(rank)]

    def place(*arrays: NDArray[Any]) -> NDArray[Any]:
        if rank == 1:
            return np.concatenate(arrays)
        whole, row, column = np.zeros(shape), 0, 0
        for array in arrays:
            whole[row : row + array.shape[0], column : column + array.shape[1]] = array
            row, column = row + array.shape[0], column + array.shape[1]
        return whole

    return derived(tensors, shape, place)
