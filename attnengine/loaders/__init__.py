"""Reads models of every format as a `Checkpoint` with canonical names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Protocol

from attnengine.errors import FormatError, InvalidArgument
from attnengine.loaders import (
    charrnn,
    ctranslate2,
    elmo,
    gguf,
    huggingface,
    joeynmt,
    keras,
    native,
    npz,
    pytorch,
)
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.loaders.files.damage import damage_named


class Format(Protocol):
    """A package that recognises a format; its module `reader`, imported when needed, reads it."""

    __name__: str
    UNDERSTANDS: str  # name of the format, for the error when no format matches

    def matches(self, path: Path) -> bool:
        """Whether `path` looks like a model of this format; the reader reports damage."""


# The order matters: folders of CTranslate2 and Hugging Face have a config.json too.
FORMATS: tuple[Format, ...] = (
    gguf,
    ctranslate2,
    huggingface,
    native,
    npz,
    joeynmt,
    pytorch,
    charrnn,
    keras,
    elmo,
)


_POINTER = b"version https://git-lfs.github.com/spec/"


def load(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a model from a folder or file of any known format.

    Weights are read later, when a build asks for them.

    Raises
    ------
    InvalidArgument
        `path` does not exist.
    FormatError
        No format is recognised, or the file is damaged.
    Unsupported
        The file is sound, but attnengine lacks a feature that it needs.
    """
    path = Path(path)
    if not path.exists():
        raise InvalidArgument(f"{path} does not exist, expected {_understood()}")
    with _pointers_named(path), damage_named(path):
        for known in FORMATS:
            if known.matches(path):
                checkpoint: Checkpoint = import_module(f"{known.__name__}.reader").read(path)
                return checkpoint
        raise FormatError(f"{path} is {_seen(path)}, expected {_understood()}")


@contextmanager
def _pointers_named(path: Path) -> Iterator[None]:
    """Say which file of a model that cannot be read is only a pointer of Git LFS."""
    try:
        yield
    except FormatError as error:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            if file.is_file() and _starts_with(file, _POINTER):
                raise FormatError(
                    f"{file} is a pointer of Git LFS, expected the file itself: git lfs pull "
                    "fetches it"
                ) from error
        raise


def _starts_with(file: Path, mark: bytes) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(mark)) == mark


def convert(source: str | os.PathLike[str], destination: str | os.PathLike[str]) -> None:
    """Write the model at `source` as a native folder.

    Raises `InvalidArgument` if `destination` is a file or a folder that is not empty. Raises the
    errors of `load` too.
    """
    folder = Path(destination)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InvalidArgument(f"{folder} exists, expected a new or empty folder")
    from attnengine.loaders.native.writer import save

    checkpoint = load(source)
    save(
        folder,
        checkpoint.config,
        {name: tensor.read() for name, tensor in checkpoint.tensors.items()},
        {name: vocabulary.tokens for name, vocabulary in checkpoint.vocabularies.items()},
        checkpoint.tokenizer_files,
    )


def _understood() -> str:
    return ", or ".join(known.UNDERSTANDS for known in FORMATS)


def _seen(path: Path) -> str:
    if not path.is_dir():
        return "a file of no known format"
    names = sorted(entry.name for entry in path.iterdir())
    return f"a folder with {', '.join(names)[:200]}" if names else "an empty folder"
