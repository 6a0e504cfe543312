"""Reads a native folder, and a native config beside weights in another container."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError
from attnengine.loaders import schema
from attnengine.loaders.checkpoint import Checkpoint, Tensor, Vocabulary, vocabularies
from attnengine.loaders.files import safetensors
from attnengine.loaders.files.damage import damage_named, short
from attnengine.loaders.files.text import (
    CONFIG_LIMIT,
    VOCABULARY_LIMIT,
    read_json,
    read_object,
    token_list,
)
from attnengine.loaders.native import CONFIG, FORMAT, FORMAT_VERSION, VOCABULARY_FILES, WEIGHTS


def read(path: Path) -> Checkpoint:
    """Read a native folder, or the folder of a safetensors file."""
    weights = path / WEIGHTS if path.is_dir() else path
    config_path = weights.parent / CONFIG
    found = checkpoint(
        path,
        config_path,
        read_object(config_path, CONFIG_LIMIT),
        lambda: safetensors.read(weights),
    )
    return replace(found, fingerprint=partial(_fingerprint, path)) if path.is_dir() else found


def checkpoint(
    path: Path,
    config_path: Path,
    config: dict[str, Any],
    tensors: Callable[[], Mapping[str, Tensor]],
) -> Checkpoint:
    """Join a native config with weights and with the vocabularies beside the config."""
    _check_version(config_path, config)
    config = {k: v for k, v in config.items() if k not in ("format", "format_version")}
    tokens = _read_vocabularies(config_path.parent, schema.is_seq2seq(config))
    schema.check(config, {k: v.tokens for k, v in tokens.items()}, str(config_path))
    files = {name: config_path.with_name(name) for name in schema.tokenizer_files(config)}
    return Checkpoint(config, tensors(), tokens, path, files)


def _check_version(path: Path, config: Mapping[str, Any]) -> None:
    found = config.get("format")
    if "format" not in config:
        raise FormatError(
            f"{path} has neither format, {FORMAT!r} in a native folder, nor model_type, the family "
            "in a Hugging Face folder"
        )
    if found != FORMAT:
        raise FormatError(f"{path}: format is {short(found)}, expected {FORMAT!r}")
    version = config.get("format_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise FormatError(f"{path}: format_version is {short(version)}, expected {FORMAT_VERSION}")
    if version > FORMAT_VERSION:
        raise FormatError(
            f"{path}: format_version is {version}, and this attnengine reads up to {FORMAT_VERSION}"
        )


def _read_vocabularies(folder: Path, seq2seq: bool) -> dict[str, Vocabulary]:
    names = ("source", "target") if seq2seq else ("vocabulary",)
    paths = {name: folder / VOCABULARY_FILES[name] for name in names}
    return vocabularies(
        {
            name: token_list(read_json(path, VOCABULARY_LIMIT), str(path))
            for name, path in paths.items()
            if path.exists()
        }
    )


def _fingerprint(folder: Path) -> str:
    """Checksum of the config, of the weights' header and of both ends of each weight.

    Reading whole weights would take longer than a packed file saves.
    """
    with damage_named(folder):
        crc = zlib.crc32((folder / CONFIG).read_bytes())
        return f"{safetensors.checksum(folder / WEIGHTS, crc):08x}"
