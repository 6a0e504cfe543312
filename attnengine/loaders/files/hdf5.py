"""Reads HDF5 files: h5py reads the structure, and weights come from the mapped file.

Files may be hostile. So only contiguous data in the file itself is read: no links, and no
compressed, virtual or external data. A limit on the number of objects ends cycles.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.files import hdf5_texts
from attnengine.loaders.files.arrays import RAW_DTYPES
from attnengine.loaders.files.damage import damage_named
from attnengine.loaders.files.mapped import MappedFile

_MAX_OBJECTS = 20_000
_MAX_DEPTH = 16
_DTYPES = {code: name for name, code in RAW_DTYPES.items() if name != "bfloat16"}


@dataclass
class Contents:
    """The content of a file by paths inside the file."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)  # "group@name" -> text attribute

    def under(self, prefix: str) -> dict[str, Tensor]:
        """Return the weights below a group by the rest of their path."""
        start = f"{prefix}/"
        return {n.removeprefix(start): t for n, t in self.tensors.items() if n.startswith(start)}


def read(path: Path) -> Contents:
    """Read the structure of a file; raise `Unsupported` without h5py or for unreadable data."""
    try:
        import h5py
    except ImportError as error:
        raise Unsupported(
            f"{path} is an HDF5 file, which needs h5py: pip install attnengine[keras]"
        ) from error
    mapped = MappedFile(path)
    walk = _Walk(h5py, mapped)
    try:
        with damage_named(path), h5py.File(path, "r") as file:
            walk.group(file, "", 0)
    except RuntimeError as error:  # h5py raises it for most damage
        raise FormatError(f"{path} is damaged ({error})") from error
    return walk.contents


class _Walk:
    def __init__(self, h5py: Any, file: MappedFile) -> None:
        self.h5py = h5py
        self.file = file
        self.contents = Contents()
        self.objects = 0

    def group(self, group: Any, name: str, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise FormatError(f"{self.file.path}: {name:.200} lies deeper than {_MAX_DEPTH} groups")
        address = self.h5py.h5o.get_info(group.id).addr
        for key, text in hdf5_texts.texts(self.file, address).items():
            self.contents.texts[f"{name}@{key}"] = text
        for key in group:
            self.objects += 1
            if self.objects > _MAX_OBJECTS:
                raise FormatError(f"{self.file.path} has more than {_MAX_OBJECTS} objects")
            inner = f"{name}/{key}" if name else key
            link = group.get(key, getlink=True)
            if not isinstance(link, self.h5py.HardLink):
                raise Unsupported(
                    f"{self.file.path}: {inner:.200} is a {type(link).__name__}, expected no links"
                )
            item = group[key]
            if isinstance(item, self.h5py.Group):
                self.group(item, inner, depth + 1)
            elif isinstance(item, self.h5py.Dataset):
                self.contents.tensors[inner] = self.tensor(item, inner)

    def tensor(self, dataset: Any, name: str) -> Tensor:
        """Return a contiguous weight at its offset in the file."""
        where = f"{self.file.path}: {name:.200}"
        if dataset.dtype.str not in _DTYPES:
            raise Unsupported(f"{where} is {dataset.dtype}, expected little-endian floats")
        offset = dataset.id.get_offset()
        if dataset.chunks or dataset.external or dataset.is_virtual or offset is None:
            raise Unsupported(f"{where} does not lie in one piece in the file")
        return self.file.array(name, _DTYPES[dataset.dtype.str], dataset.shape, offset)
