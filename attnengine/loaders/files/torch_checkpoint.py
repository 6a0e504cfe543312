"""Reads PyTorch checkpoints without PyTorch: weights and plain containers, no code.

PyTorch 1.6 and later write a zip archive: data.pkl has the pickle, and a member holds each storage.
Earlier versions write five pickles in a row: magic number, protocol, machine, object and storage
keys. The storages follow, each after its length.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.files import pickles
from attnengine.loaders.files.archive import Member, members
from attnengine.loaders.files.damage import damage_named
from attnengine.loaders.files.mapped import MappedFile
from attnengine.loaders.files.torch_storages import STORAGES, Storage, named_tensors, strided_tensor

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_ZIP_START = b"PK\x03\x04"
_PROTOCOL = 1001

# Classes with objects that are kept as name and state.
_INERT = (
    "argparse.Namespace",
    "functools.partial",
    "onmt.Optim.Optim",
    "onmt.inputters.text_dataset.TextMultiField",
    "onmt.utils.optimizers.Optimizer",
    "onmt.utils.optimizers.MultipleOptimizer",
    "torch.device",
    "torch.nn.parameter.Parameter",
    "torch.optim.adadelta.Adadelta",
    "torch.optim.adagrad.Adagrad",
    "torch.optim.adam.Adam",
    "torch.optim.sgd.SGD",
    "torchtext.data.field.Field",
    "torchtext.data.field.RawField",
    "torchtext.vocab.Vocab",
)
# Globals that occur as arguments and are never called.
_NAMED = (
    "__builtin__.dict",
    "__builtin__.int",
    "__builtin__.list",
    "builtins.dict",
    "builtins.int",
    "builtins.list",
    "onmt.inputters.text_dataset._feature_tokenize",
    "torch.float32",
    "torch.int64",
    "torch.uint8",
    "torchtext.data.utils._split_tokenizer",
    "torchtext.vocab._default_unk_index",
    *STORAGES,
)


def state_dict(path: Path) -> dict[str, Tensor]:
    """Return the weights of a file of weights alone, such as transformers' pytorch_model.bin."""
    return named_tensors(path, unpickle(path))


def unpickle(path: Path) -> Any:
    """Return a checkpoint's content: dictionaries, lists, `Tensor` and `pickles.Inert`."""
    file = MappedFile(path)
    with damage_named(path):
        if bytes(file.view(0, min(4, file.size), "its start")) == _ZIP_START:
            return _Zip(path).content()
        return _Legacy(file).content()


@dataclass
class _Reader:
    """The shared part of both layouts: the globals that a pickle may use."""

    path: Path

    def load(self, stream: IO[bytes], persistent: Callable[[object], Storage]) -> Any:
        return pickles.load(stream, self.path, self.builders(), persistent)

    def builders(self) -> dict[str, pickles.Builder | None]:
        named: dict[str, pickles.Builder | None] = dict.fromkeys(_NAMED)
        inert: dict[str, pickles.Builder | None] = {name: _inert(name) for name in _INERT}
        return {
            **named,
            **inert,
            "collections.OrderedDict": _mapping,
            "collections.Counter": _mapping,
            "collections.defaultdict": lambda arguments: _mapping(arguments[1:]),
            "torch._utils._rebuild_tensor": self.tensor,
            "torch._utils._rebuild_tensor_v2": self.tensor,
            "torch._utils._rebuild_parameter": lambda arguments: arguments[0],
        }

    def tensor(self, arguments: tuple[Any, ...]) -> object:
        storage, offset, shape, strides = arguments[:4]
        if not isinstance(storage, Storage):
            raise FormatError(f"{self.path}: a tensor has no storage, expected one")
        return strided_tensor(self.path, storage, offset, shape, strides)

    def storage_id(self, identity: object, size: int) -> tuple[str, str, int, tuple[object, ...]]:
        """Return key, element type and length of a storage, and the items after them."""
        if not isinstance(identity, tuple) or len(identity) != size or identity[0] != "storage":
            raise FormatError(f"{self.path}: a persistent id that names no storage")
        _, kind, key, _, count = identity[:5]
        name = kind.name if isinstance(kind, pickles.Global) else ""
        if name not in STORAGES or not isinstance(key, str) or not isinstance(count, int):
            raise FormatError(f"{self.path}: a storage without type, key or length")
        return key, STORAGES[name], count, identity[5:]


class _Legacy(_Reader):
    def __init__(self, file: MappedFile) -> None:
        super().__init__(file.path)
        self.file = file
        self.storages: dict[str, Storage] = {}

    def content(self) -> Any:
        stream = self.file.stream()
        magic, protocol, machine = (self.load(stream, self.storage) for _ in range(3))
        if magic != _MAGIC_NUMBER or protocol != _PROTOCOL or not isinstance(machine, dict):
            raise FormatError(f"{self.path} does not start like a PyTorch checkpoint")
        if machine.get("little_endian") is not True:
            raise Unsupported(f"{self.path} was written on a big-endian machine")
        content = self.load(stream, self.storage)
        keys = self.load(stream, self.storage)
        self.place(keys, stream.tell())
        return content

    def storage(self, identity: object) -> Storage:
        key, dtype, count, view = self.storage_id(identity, 6)
        if view != (None,):
            raise Unsupported(f"{self.path}: storage {key} is a view of another")
        return self.storages.setdefault(key, Storage(key, dtype, count))

    def place(self, keys: Any, offset: int) -> None:
        """Find the bytes of each storage, which follow in the order of the keys."""
        # Only text, because the hash of nested tuples overflows the stack.
        named = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
        if not named or sorted(keys) != sorted(self.storages):
            raise FormatError(f"{self.path}: the storages are not those that its tensors use")
        for key in keys:
            storage = self.storages[key]
            (count,) = struct.unpack("<q", self.file.view(offset, 8, f"the length of {key}"))
            if count != storage.count:
                raise FormatError(
                    f"{self.path}: storage {key} has {count} elements, expected {storage.count}"
                )
            storage.data = self.file.view(offset + 8, storage.num_bytes, f"storage {key}")
            offset += 8 + storage.num_bytes


class _Zip(_Reader):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.members = members(path)
        pickled = [name for name in self.members if name.rpartition("/")[2] == "data.pkl"]
        if len(pickled) != 1:
            raise FormatError(f"{path} has {len(pickled)} members data.pkl, expected one")
        self.prefix = pickled[0].removesuffix("data.pkl")
        self.storages: dict[str, Storage] = {}

    def content(self) -> Any:
        if self.prefix + "constants.pkl" in self.members:
            raise Unsupported(f"{self.path} is a TorchScript program, expected a checkpoint")
        order = self.members.get(self.prefix + "byteorder")
        if order is not None and bytes(order.read(6)) != b"little":
            raise Unsupported(f"{self.path} was written on a big-endian machine")
        return self.load(io.BytesIO(self.member("data.pkl").read()), self.storage)

    def storage(self, identity: object) -> Storage:
        key, dtype, count, _ = self.storage_id(identity, 5)
        storage = self.storages.setdefault(key, Storage(key, dtype, count))
        if storage.data is None:
            member = self.member(f"data/{key}")
            if member.size != storage.num_bytes:
                raise FormatError(
                    f"{self.path}: storage {key} has {member.size} bytes, "
                    f"expected {storage.num_bytes}"
                )
            storage.data = member.read()
        return storage

    def member(self, name: str) -> Member:
        if self.prefix + name not in self.members:
            raise FormatError(f"{self.path}: its member {self.prefix}{name} is missing")
        member = self.members[self.prefix + name]
        if member.deflated:
            raise FormatError(
                f"{self.path}: its member {member.name} is packed, as torch never does"
            )
        return member


def _inert(name: str) -> pickles.Builder:
    return lambda arguments: pickles.Inert(name, arguments)


def _mapping(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    """Return the dictionary argument of OrderedDict, Counter or defaultdict.

    It is not copied, because copies would let a few bytes of a pickle fill any memory.
    """
    if not arguments:
        return {}
    if not isinstance(arguments[0], dict):
        raise TypeError("a mapping made of something other than a dictionary")
    return arguments[0]
