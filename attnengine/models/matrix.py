"""Weights that are packed in blocks of rows, so that few rows are in memory as float32."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = Callable[[int, int], Floats]


@dataclass(frozen=True)
class Matrix:
    """A weight (out, in) that is read when it is packed."""

    shape: tuple[int, int]
    rows: Rows  # begin, end -> (end - begin, in)

    @classmethod
    def of(cls, shape: tuple[int, int], read: Callable[[], Floats]) -> Matrix:
        """Make a matrix from a weight that is read as a whole when its first rows are read."""
        whole = cache(read)
        return cls(shape, lambda begin, end: whole()[begin:end])

    def read(self) -> Floats:
        """Return all rows."""
        return self.rows(0, self.shape[0])

    def each(self, change: Callable[[Floats], Floats]) -> Matrix:
        """Return the matrix with ``change`` applied to each block of rows."""
        return Matrix(self.shape, lambda begin, end: change(self.rows(begin, end)))

    def scaled(self, scale: float) -> Matrix:
        """Return the matrix times ``scale``."""
        return self if scale == 1 else self.each(lambda rows: scaled(rows, scale))

    def part(self, first: int, last: int) -> Matrix:
        """Return the matrix with the rows [first, last)."""
        shape = last - first, self.shape[1]
        return Matrix(shape, lambda begin, end: self.rows(first + begin, first + end))


def stacked(matrices: Sequence[Matrix]) -> Matrix:
    """Return the matrix with the rows of several matrices, one after the other."""
    ends = list(accumulate(matrix.shape[0] for matrix in matrices))

    def rows(begin: int, end: int) -> Floats:
        found, row = np.empty((end - begin, size), np.float32), begin
        while row < end:
            i = bisect_right(ends, row)
            start, stop = ends[i] - matrices[i].shape[0], min(end, ends[i])
            # Copied at once, because the next read may release the pages of this one.
            found[row - begin : stop - begin] = matrices[i].rows(row - start, stop - start)
            row = stop
        return found

    size = matrices[0].shape[1]
    return Matrix((ends[-1], size), rows)


def scaled(values: Floats, scale: float) -> Floats:
    """Return ``values`` times ``scale``, infinite where float32 overflows."""
    if scale == 1:
        return values
    with np.errstate(all="ignore"):
        product: Floats = values * np.float32(scale)
    return product
