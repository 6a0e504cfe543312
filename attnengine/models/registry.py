"""Architectures by name, and the weights they are built from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.errors import FormatError, InvalidArgument, Unsupported
from attnengine.models import config as configs

Floats = NDArray[np.float32]
Model = _core.Decoder | _core.RnnEncoder
C = TypeVar("C")


class Source(Protocol):
    """A weight as a loader hands it over; its name is the file's."""

    name: str
    shape: tuple[int, ...]

    def read(self) -> Floats:
        """Read the values."""
        ...  # pragma: no cover


class Weights:
    """The weights of a checkpoint; remembers which were taken.

    A weight that is missing, has another shape, or is left over is an error that names it.
    """

    def __init__(self, tensors: Mapping[str, Any], prefix: str = "", taken: set[str] | None = None):
        self._tensors = tensors
        self._prefix = prefix
        self._taken = set() if taken is None else taken

    def under(self, prefix: str) -> Weights:
        """Return the weights below a prefix, such as ``decoder.layers.0``."""
        return Weights(self._tensors, f"{self._prefix}{prefix}.", self._taken)

    def __contains__(self, name: str) -> bool:
        return self._prefix + name in self._tensors

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def take(self, name: str, *shape: int) -> Floats:
        """Return a weight, which must be there with this shape."""
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
        values = tensor.read() if hasattr(tensor, "read") else tensor
        return np.ascontiguousarray(values, np.float32)

    def get(self, name: str, *shape: int) -> Floats | None:
        """Return a weight of this shape, or None when the checkpoint has none of that name."""
        return self.take(name, *shape) if name in self else None

    def ignore(self, name: str) -> None:
        """Let a weight be left over: a second copy of one that is taken by another name."""
        self._taken.add(self._prefix + name)

    def linear(self, name: str, out_size: int, in_size: int) -> _core.Linear:
        """Return ``name.weight`` (out, in) with ``name.bias`` (out,) when there is one."""
        weight = self.take(f"{name}.weight", out_size, in_size)
        return _core.Linear(weight, self.get(f"{name}.bias", out_size))

    def check_all_taken(self) -> None:
        """Raise FormatError when a weight was left over."""
        left = sorted(set(self._tensors) - self._taken)
        if left:
            more = f" and {len(left) - 3} more" if len(left) > 3 else ""
            names = ", ".join(repr(name) for name in left[:3])
            raise FormatError(
                f"weights left over, which the config does not explain: {names}{more}"
            )


Build = Callable[[Any, Weights], Model]
_architectures: dict[str, tuple[type, Build, bool]] = {}


def register(
    name: str, *, config: type[C], ignores_unknown_keys: bool = False
) -> Callable[[Callable[[C, Weights], Any]], Build]:
    """Enter an architecture under the name that configs give it.

    Configs of Hugging Face hold many keys that say nothing about the model: of them unknown keys
    are ignored.
    """

    def enter(build: Callable[[C, Weights], Any]) -> Build:
        _architectures[name] = (config, build, ignores_unknown_keys)
        return build

    return enter


def build(config: Mapping[str, Any], tensors: Mapping[str, Any]) -> Model:
    """Build the model that a config describes.

    Parameters
    ----------
    config
        canonical keys, with ``architecture``
    tensors
        arrays, or objects with ``shape`` and ``read()``, by canonical name

    Raises
    ------
    Unsupported
        The architecture is unknown.
    FormatError
        A key of the config or a weight does not fit.
    """
    name = config.get("architecture")
    if not isinstance(name, str) or name not in _architectures:
        known = ", ".join(sorted(_architectures))
        raise Unsupported(f"architecture is {name!r}, expected one of {known}")
    config_class, build_model, lenient = _architectures[name]
    weights = Weights(tensors)
    try:
        read: Any = configs.read(config_class, config, ignores_unknown_keys=lenient)
        model = build_model(read, weights)
    except InvalidArgument as error:  # sizes of layers that do not fit each other
        raise FormatError(f"config: {error}") from error
    weights.check_all_taken()
    return model
