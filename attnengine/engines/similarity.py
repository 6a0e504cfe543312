"""Similarities of vectors, as sentence-transformers computes them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attnengine import kernels
from attnengine.errors import InvalidArgument

Floats = NDArray[np.float32]
_SHORTEST = np.float32(1e-12)  # eps of torch.nn.functional.normalize


def normalized(vectors: Floats) -> Floats:
    """Return vectors (..., size) divided by their Euclidean norms; zeros stay."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    result: Floats = vectors / np.maximum(norms, _SHORTEST)
    return result


def similarity(first: ArrayLike, second: ArrayLike, how: str) -> Floats:
    """Return the similarity of each vector of ``first`` with each of ``second``.

    first (rows, size) or (size,), second (columns, size) or (size,); returns (rows, columns).
    ``how`` is "cosine", "dot", "euclidean" or "manhattan"; the last two are negative distances.

    Raises InvalidArgument for other shapes.
    """
    rows, columns = (np.atleast_2d(np.asarray(one, np.float32)) for one in (first, second))
    if rows.ndim != 2 or columns.ndim != 2 or rows.shape[1] != columns.shape[1]:
        raise InvalidArgument(
            f"vectors have shapes {np.shape(first)} and {np.shape(second)}, expected (rows, size)"
            " and (columns, size)"
        )
    if not len(rows) or not len(columns):
        return np.zeros((len(rows), len(columns)), np.float32)
    return _SIMILARITIES[how](rows, columns)


def _dot(rows: Floats, columns: Floats) -> Floats:
    return kernels.linear(rows, columns)  # NumPy's bits depend on the number of rows


def _cosine(rows: Floats, columns: Floats) -> Floats:
    return _dot(normalized(rows), normalized(columns))


def _euclidean(rows: Floats, columns: Floats) -> Floats:
    return np.stack([-np.linalg.norm(columns - row, axis=1) for row in rows])


def _manhattan(rows: Floats, columns: Floats) -> Floats:
    return np.stack([-np.abs(columns - row).sum(axis=1) for row in rows])


_SIMILARITIES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "cosine": _cosine,
    "dot": _dot,
    "euclidean": _euclidean,
    "manhattan": _manhattan,
}
