"""Renames weights by a table, which each format has for each architecture."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.shared.derived import equal_rows, part

# (pattern of a whole name in the file, canonical names as templates). Several canonical names cut
# the weight into equal parts along its first axis.
Table = tuple[tuple[str, tuple[str, ...]], ...]


def rename(tensors: Mapping[str, Tensor], table: Table, path: Path) -> dict[str, Tensor]:
    """Weights under their canonical names.

    `Unsupported` for a weight that no row of the table names, `FormatError` for two that
    come to have the same name.
    """
    renamed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        canonical = _canonical(name, table, path)
        for number, new_name in enumerate(canonical):
            enter(renamed, new_name, _equal_part(tensor, number, len(canonical), path), path)
    return renamed


def enter(named: dict[str, Tensor], name: str, tensor: Tensor, path: Path) -> None:
    """Give a weight its name; `FormatError` when another has it."""
    if name in named:
        raise FormatError(f"{path}: {named[name].name} and {tensor.name} are both {name}")
    named[name] = tensor


def count_layers(tensors: Mapping[str, Tensor], pattern: str, path: Path) -> int:
    """Count the layers by the numbers that `pattern` captures; they must be 0, 1, 2, ..."""
    found = {int(match[1]) for name in tensors if (match := re.fullmatch(pattern, name))}
    if not found or found != set(range(len(found))):
        numbers = ", ".join(map(str, sorted(found))) or "none"
        raise FormatError(f"{path}: the layers of {pattern} are {numbers}, expected 0, 1, ...")
    return len(found)


def matrix_shape(path: Path, tensors: Mapping[str, Tensor], name: str) -> tuple[int, int]:
    """Sizes of a weight that must be there and be a matrix with something in it."""
    if name not in tensors:
        raise FormatError(f"{path}: the weight {name} is missing")
    shape = tensors[name].shape
    if len(shape) != 2 or 0 in shape:
        raise FormatError(f"{path}: {tensors[name].name} has shape {shape}, expected a matrix")
    return shape[0], shape[1]


def _canonical(name: str, table: Table, path: Path) -> list[str]:
    for pattern, templates in table:
        match = re.fullmatch(pattern, name)
        if match:
            return [match.expand(template) for template in templates]
    raise Unsupported(f"{path}: weight {name!r:.200} belongs to nothing that attnengine has")


def _equal_part(tensor: Tensor, number: int, count: int, path: Path) -> Tensor:
    if count == 1:
        return tensor
    rows = equal_rows(tensor, count, path)
    return part(tensor, number * rows, (number + 1) * rows)
