"""Writes PyTorch checkpoints in both layouts, and pickles of any content, without PyTorch."""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class Name:
    """A global name in a pickle."""

    module: str
    name: str


@dataclass(frozen=True)
class Call:
    """REDUCE of a global, followed by BUILD if a state is given."""

    function: Name
    arguments: tuple[Any, ...]
    state: Any = None


@dataclass(frozen=True)
class StorageId:
    """A persistent id, which names a storage."""

    identity: tuple[Any, ...]


def pickled(value: Any) -> bytes:
    """A pickle of plain data, calls and persistent ids in protocol 2."""
    return b"\x80\x02" + _opcodes(value) + b"."


def _opcodes(value: Any) -> bytes:
    if isinstance(value, Name):
        return f"c{value.module}\n{value.name}\n".encode()
    if isinstance(value, Call):
        call = _opcodes(value.function) + _opcodes(value.arguments) + b"R"
        return call if value.state is None else call + _opcodes(value.state) + b"b"
    if isinstance(value, StorageId):
        return _opcodes(value.identity) + b"Q"
    if isinstance(value, dict):
        items = b"".join(_opcodes(k) + _opcodes(v) for k, v in value.items())
        return b"}(" + items + b"u"
    if isinstance(value, list):
        return b"](" + b"".join(map(_opcodes, value)) + b"e"
    if isinstance(value, tuple):
        return b"(" + b"".join(map(_opcodes, value)) + b"t"
    return pickle.dumps(value, protocol=2)[2:-1]  # without the opcodes PROTO and STOP


def tensor_call(array: NDArray[Any], key: str, kind: str, legacy: bool) -> Call:
    """The call that torch pickles for a tensor that fills its storage."""
    identity: tuple[Any, ...] = ("storage", Name("torch", kind), key, "cpu", array.size)
    if legacy:
        identity = (*identity, None)
    strides = tuple(stride // array.itemsize for stride in array.strides)
    function = Name("torch._utils", "_rebuild_tensor" if legacy else "_rebuild_tensor_v2")
    rest = () if legacy else (False, Call(Name("collections", "OrderedDict"), ()))
    return Call(function, (StorageId(identity), 0, array.shape, strides, *rest))


def write_legacy(path: Path, content: Any, storages: Mapping[str, NDArray[Any]]) -> Path:
    """Write the layout of PyTorch before 1.6."""
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    parts = [pickled(0x1950A86A20F9469CFC6C), pickled(1001), pickled(machine), pickled(content)]
    parts.append(pickled(sorted(storages)))
    for key in sorted(storages):
        parts += [struct.pack("<q", storages[key].size), storages[key].tobytes()]
    path.write_bytes(b"".join(parts))
    return path


def write_zip(path: Path, content: Any, storages: Mapping[str, NDArray[Any]]) -> Path:
    """Write the layout of PyTorch 1.6 and later, a zip archive."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", pickled(content))
        archive.writestr("model/byteorder", "little")
        for key, array in storages.items():
            archive.writestr(f"model/data/{key}", array.tobytes())
        archive.writestr("model/version", "3\n")
    return path
