"""The weights of a checkpoint for a build: shapes are checked, and each weight is taken once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Protocol

import numpy as np

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.matrix import Floats, Matrix, Rows, scaled
from attnengine.models.settings import FLOAT32, BuildSettings


class Source(Protocol):
    """A weight from a loader, with its name in the file."""

    name: str
    shape: tuple[int, ...]

    def read(self) -> Floats:
        """Read the values."""
        ...  # pragma: no cover


class Weights:
    """The weights of a checkpoint; it records the weights that were taken.

    A weight that is missing, has another shape or is left over raises an error with its name.
    """

    def __init__(
        self,
        tensors: Mapping[str, Any],
        settings: BuildSettings = FLOAT32,
        prefix: str = "",
        taken: set[str] | None = None,
    ):
        self._tensors = tensors
        self.settings = settings  # settings of the layers built from these weights
        self._prefix = prefix
        self._taken = set() if taken is None else taken

    def under(self, prefix: str) -> Weights:
        """Return the weights below a prefix, such as ``decoder.layers.0``."""
        return Weights(self._tensors, self.settings, f"{self._prefix}{prefix}.", self._taken)

    def __contains__(self, name: str) -> bool:
        return self._prefix + name in self._tensors

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def take(self, name: str, *shape: int) -> Floats:
        """Return a weight, which must exist and have this shape."""
        tensor = self._found(name, shape)
        return _float32(tensor.read() if hasattr(tensor, "read") else tensor)

    def get(self, name: str, *shape: int) -> Floats | None:
        """Return a weight of this shape, or None if the checkpoint lacks it."""
        return self.take(name, *shape) if name in self else None

    def rows(self, name: str, *shape: int) -> Rows:
        """Return a function that reads slices of a weight along its first dimension.

        It reads the slice alone if the file allows that, else the whole weight at the first call.
        """
        tensor = self._found(name, shape)
        read_rows = getattr(tensor, "read_rows", None)
        if read_rows is not None:
            return lambda begin, end: _float32(read_rows(begin, end))
        whole = cache(lambda: _float32(tensor.read() if hasattr(tensor, "read") else tensor))
        return lambda begin, end: whole()[begin:end]

    def matrix(self, name: str, out_size: int, in_size: int) -> Matrix:
        """Return a weight (out, in) that is read when it is packed."""
        return Matrix((out_size, in_size), self.rows(name, out_size, in_size))

    def linear(
        self,
        name: str,
        out_size: int,
        in_size: int,
        *,
        bias: bool | None = None,
        scale: float = 1.0,
        precision: str | None = None,
    ) -> _core.Linear:
        """Return ``name.weight`` (out, in) with ``name.bias`` (out,), both times ``scale``.

        ``bias`` says whether the layer has a bias; None: if the checkpoint has one. ``precision``
        is the model's by default.
        """
        has_bias = f"{name}.bias" in self if bias is None else bias
        found = self.take(f"{name}.bias", out_size) if has_bias else None
        scaled_bias = None if found is None else scaled(found, scale)
        weight = self.matrix(f"{name}.weight", out_size, in_size)
        return self.pack(weight.scaled(scale), scaled_bias, precision=precision)

    def pack(
        self, weight: Matrix | Floats, bias: Floats | None = None, *, precision: str | None = None
    ) -> _core.Linear:
        """Return a layer of ``weight`` (out, in) and ``bias`` (out,).

        The default of ``precision`` is that of the settings.
        """
        settings = self.settings if precision is None else self.settings.with_precision(precision)
        if not isinstance(weight, Matrix):
            return _core.Linear(weight, bias, settings=settings)
        out, size = weight.shape
        return _core.Linear(
            weight.rows, out_features=out, in_features=size, bias=bias, settings=settings
        )

    def _found(self, name: str, shape: tuple[int, ...]) -> Any:
        full = self._prefix + name
        if full not in self._tensors:
            raise FormatError(f"weight {full!r} is missing")
        tensor = self._tensors[full]
        if tuple(tensor.shape) != shape:
            stored = getattr(tensor, "name", full)
            also = "" if stored == full else f" ({stored!r} in the file)"
            raise FormatError(
                f"weight {full!r}{also} has shape {tuple(tensor.shape)}, expected {shape}"
            )
        self._taken.add(full)
        return tensor

    def check_all_taken(self) -> None:
        """Raise FormatError if a weight was not taken."""
        left = sorted(set(self._tensors) - self._taken)
        if left:
            more = f" and {len(left) - 3} more" if len(left) > 3 else ""
            names = ", ".join(repr(name) for name in left[:3])
            raise FormatError(
                f"weights left over, which the config does not explain: {names}{more}"
            )


def _float32(values: Any) -> Floats:
    return np.ascontiguousarray(values, np.float32)
