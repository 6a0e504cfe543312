"""Writes a native folder."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine.errors import InvalidArgument
from attnengine.loaders import schema
from attnengine.loaders.checkpoint import TokenizerFile
from attnengine.loaders.files import safetensors
from attnengine.loaders.native import CONFIG, FORMAT, FORMAT_VERSION, VOCABULARY_FILES, WEIGHTS


def save(
    folder: str | os.PathLike[str],
    config: Mapping[str, Any],
    tensors: Mapping[str, NDArray[Any]],
    vocabularies: Mapping[str, Sequence[str]],
    tokenizer_files: Mapping[str, str | os.PathLike[str] | bytes] | None = None,
) -> None:
    """Write a model as a native folder; the folder is made if it does not exist.

    Parameters
    ----------
    folder
        Gets config.json, model.safetensors and the vocabulary files. Each file is written under
        another name and then renamed, so that no file is ever half written.
    config
        Every key of the architecture, as docs/export.md lists them.
    tensors
        Weights in canonical names and PyTorch's shapes; float64 is rounded to float32,
        float16 stays.
    vocabularies
        "source" and "target", or "vocabulary": the tokens in the order of their ids.
    tokenizer_files
        Files to copy, or their content as bytes, by the name that the tokenizer of the config
        asks for: tokenizer.json, or source.spm and target.spm.

    Raises
    ------
    InvalidArgument
        A key, weight or vocabulary that does not fit, or that a file cannot hold.
    """
    folder = Path(folder)
    schema.check(config, vocabularies, "config", InvalidArgument)
    text = _config_text(config)
    files = _tokenizer_files(config, tokenizer_files or {})
    arrays = {name: _array(name, array) for name, array in tensors.items()}
    folder.mkdir(parents=True, exist_ok=True)
    _write_text_files(folder, vocabularies, files)
    _replace(folder / WEIGHTS, lambda path: safetensors.write(path, arrays))
    _replace(folder / CONFIG, partial(_write_text, text))


def _tokenizer_files(
    config: Mapping[str, Any], given: Mapping[str, str | os.PathLike[str] | bytes]
) -> dict[str, TokenizerFile]:
    files = {name: one if isinstance(one, bytes) else Path(one) for name, one in given.items()}
    if set(files) != schema.tokenizer_files(config):
        expected = ", ".join(sorted(schema.tokenizer_files(config))) or "none"
        raise InvalidArgument(f"tokenizer_files has {sorted(files)}, expected {expected}")
    for name, path in files.items():
        if isinstance(path, Path) and not path.is_file():
            raise InvalidArgument(f"{path}, to be copied as {name}, is missing or not a file")
    return files


def _config_text(config: Mapping[str, Any]) -> str:
    for key in ("format", "format_version"):
        if key in config:
            raise InvalidArgument(f"config: {key} is written by save and must not be given")
    complete = {"format": FORMAT, "format_version": FORMAT_VERSION, **config}
    try:
        return json.dumps(complete, ensure_ascii=False, allow_nan=False, indent=2)
    except (TypeError, ValueError) as error:
        raise InvalidArgument(f"config cannot be written as JSON: {error}") from error


def _array(name: str, given: NDArray[Any]) -> NDArray[np.floating]:
    if not isinstance(name, str) or not name or name == "__metadata__":
        raise InvalidArgument(f"tensors: {name!r} is no name for a weight")
    array = np.asarray(given)
    if array.dtype.kind != "f" or array.dtype.itemsize not in (2, 4, 8):
        raise InvalidArgument(f"{name} is {array.dtype}, expected float16, float32 or float64")
    return array.astype(np.float16 if array.dtype.itemsize == 2 else np.float32, copy=False)


def _write_text_files(
    folder: Path, vocabularies: Mapping[str, Sequence[str]], files: Mapping[str, TokenizerFile]
) -> None:
    """Write vocabularies and tokenizer files; those of a model that was there before go."""
    writers: dict[str, Callable[[Path], object]] = {
        name: partial(_write_tokenizer, file) for name, file in files.items()
    }
    for name, tokens in vocabularies.items():
        listed = json.dumps(list(tokens), ensure_ascii=False, indent=0)
        writers[VOCABULARY_FILES[name]] = partial(_write_text, listed)
    for name in (*VOCABULARY_FILES.values(), *schema.TOKENIZER_FILES):
        if name in writers:
            _replace(folder / name, writers[name])
        else:
            (folder / name).unlink(missing_ok=True)


def _write_tokenizer(file: TokenizerFile, path: Path) -> None:
    if isinstance(file, bytes):
        path.write_bytes(file)
    else:
        shutil.copyfile(file, path)


def _write_text(text: str, path: Path) -> None:
    path.write_text(text + "\n", encoding="utf-8")


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.touch()  # with the usual permissions; safetensors lets only the owner read
        permissions = temporary.stat().st_mode
        write(temporary)
        temporary.chmod(permissions)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
