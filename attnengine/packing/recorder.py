"""Writing a packed model: a build whose constructor calls are remembered."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from attnengine import _core
from attnengine.packing.file import LAYOUTS, Writer

Model = _core.Decoder | _core.Encoder


def write(path: Path, build: Callable[[], Model], marks: dict[str, Any]) -> None:
    """Build a model and write its layers to a new file at ``path``.

    ``marks`` is kept in the header, for `read` to compare; so are the layouts of packed weights.
    """
    writer = Writer(path)
    try:
        with _recording(writer) as recorder:
            root = recorder.value(build())
        header = {**marks, "layouts": LAYOUTS, "parts": recorder.parts, "root": root}
        writer.finish(header)
    finally:
        writer.close()


class _Recorder:
    """How each part was made: its class, its arguments; arrays go to the file at once."""

    def __init__(self, writer: Writer) -> None:
        self.parts: list[list[Any]] = []
        self._writer = writer
        self._thread = threading.get_ident()
        self._made: dict[int, int] = {}  # id of a part -> its index
        self._kept: list[object] = []  # so that no id is used again

    def recorded(self, cls: type, make: Callable[..., None]) -> Callable[..., None]:
        """The constructor ``make`` of a class, which tells this recorder."""

        def init(part: object, *args: Any, **kwargs: Any) -> None:
            make(part, *args, **kwargs)
            if threading.get_ident() == self._thread:
                self._add(cls, part, args, kwargs)

        return init

    def value(self, value: Any) -> Any:
        """An argument as JSON holds it: arrays and parts by their place, no settings."""
        if isinstance(value, _core.BuildSettings):
            return {"settings": None}  # the reader has its own
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


_one_at_a_time = threading.Lock()  # the constructors are those of the whole process


@contextmanager
def _recording(writer: Writer) -> Iterator[_Recorder]:
    """Every part of the compiled module that this thread makes is remembered."""
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
