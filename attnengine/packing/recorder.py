"""Writing or measuring a packed model: records every constructor call of a build."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from attnengine import _core
from attnengine.packing.file import LAYOUTS, Array, Writer

Model = _core.Decoder | _core.Encoder


def write(path: Path, build: Callable[[], Model], marks: dict[str, Any]) -> None:
    """Build a model and write its layers to a new file at ``path``.

    The header stores ``marks`` and the layouts of packed weights, which `read` compares.
    """
    writer = Writer(path)
    try:
        with _recording(writer) as recorder:
            root = recorder.value(build())
        header = {**marks, "layouts": LAYOUTS, "parts": recorder.parts, "root": root}
        writer.finish(header)
    finally:
        writer.close()


def measure(build: Callable[[], Model]) -> tuple[Model, int]:
    """Build a model; return it with the bytes of the arrays that its layers keep.

    With ``pack=False`` in its settings the build reads and fills nothing.
    """
    counter = _Counter()
    with _recording(counter):
        model = build()
    return model, counter.bytes


class _Arrays(Protocol):
    """A destination for the arrays of a recorder."""

    def array(self, values: Array) -> list[Any]:
        """Take an array; return where it lies."""


class _Counter:
    """Counts the bytes of arrays instead of writing them."""

    def __init__(self) -> None:
        self.bytes = 0

    def array(self, values: Array) -> list[Any]:
        """Count an array."""
        self.bytes += values.nbytes
        return []


class _Recorder:
    """Records the class and arguments of each part; writes arrays to the file at once."""

    def __init__(self, writer: _Arrays) -> None:
        self.parts: list[list[Any]] = []
        self._writer = writer
        self._thread = threading.get_ident()
        self._made: dict[int, int] = {}  # id of a part -> its index
        self._kept: list[object] = []  # keeps parts alive, as Python reuses the id of dead objects

    def recorded(self, cls: type, make: Callable[..., None]) -> Callable[..., None]:
        """Wrap the constructor ``make`` of a class so that each call is recorded."""

        def init(part: object, *args: Any, **kwargs: Any) -> None:
            make(part, *args, **kwargs)
            if threading.get_ident() == self._thread:
                self._add(cls, part, args, kwargs)

        return init

    def value(self, value: Any) -> Any:
        """Convert an argument to JSON: arrays as places in the file, parts as indices."""
        if isinstance(value, _core.BuildSettings):
            return {"settings": None}  # `read` inserts its caller's settings
        if id(value) in self._made:
            return {"part": self._made[id(value)]}
        if isinstance(value, np.ndarray):
            packed = value.dtype == np.uint8
            array = value if packed else np.ascontiguousarray(value, np.float32)
            return {"array": self._writer.array(array)}
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [self.value(item) for item in value]
        return value

    def _add(self, cls: type, part: Any, args: Any, kwargs: dict[str, Any]) -> None:
        if isinstance(part, _core.Linear):
            bias = kwargs.get("bias", args[1] if len(args) > 1 else None)
            names = ("packed", "out_features", "in_features", "precision")
            args, kwargs = (), {"bias": bias, **{name: getattr(part, name) for name in names}}
        encoded = [self.value(arg) for arg in args]
        named = {name: self.value(arg) for name, arg in kwargs.items()}
        self._made[id(part)] = len(self.parts)
        self.parts.append([cls.__name__, encoded, named])
        self._kept.append(part)


_one_at_a_time = threading.Lock()  # recording replaces constructors for the whole process


@contextmanager
def _recording(writer: _Arrays) -> Iterator[_Recorder]:
    """Record every object of the compiled module that this thread constructs."""
    recorder = _Recorder(writer)
    with _one_at_a_time:
        makers = {
            cls: vars(cls)["__init__"]
            for _, cls in inspect.getmembers(_core, inspect.isclass)
            if "__init__" in vars(cls) and not issubclass(cls, BaseException | _core.BuildSettings)
        }
        try:
            for cls, make in makers.items():
                cls.__init__ = recorder.recorded(cls, make)  # type: ignore[method-assign]
            yield recorder
        finally:
            for cls, make in makers.items():
                cls.__init__ = make  # type: ignore[method-assign]
