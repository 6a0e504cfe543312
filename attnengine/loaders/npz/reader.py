"""Finds the toolkit that wrote an archive by its arrays and by the config beside it."""

from __future__ import annotations

from pathlib import Path

from attnengine.errors import FormatError
from attnengine.loaders import g2p_en, marian, opennmt
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.loaders.files.archive import members
from attnengine.loaders.files.npz_arrays import tensors, text
from attnengine.loaders.files.text import VOCABULARY_LIMIT, read_object
from attnengine.loaders.marian import nematus
from attnengine.loaders.native.reader import checkpoint as native_checkpoint


def read(path: Path) -> Checkpoint:
    """Read an archive: ours in canonical names, or the weights of a toolkit and their options."""
    if marian.OPTIONS + ".npy" in members(path):
        arrays = tensors(path)
        return marian.read(path, arrays, text(path, marian.OPTIONS))
    if g2p_en.matches({name.removesuffix(".npy") for name in members(path)}):
        return g2p_en.read(path, tensors(path))
    options = path.with_name(path.name + ".json")
    if options.exists():
        return nematus.read(path, tensors(path), read_object(options, VOCABULARY_LIMIT))
    config_path = path.with_suffix(".json")
    if not config_path.exists():
        config_path = path.with_name("config.json")
    config = read_object(config_path, VOCABULARY_LIMIT)
    if "format" in config:
        return native_checkpoint(path, config_path, config, lambda: tensors(path))
    if "opt" in config and "vocab" in config:
        return opennmt.read(path, tensors(path), config["opt"], config["vocab"])
    raise FormatError(
        f"{config_path}: its keys are {', '.join(config)[:200]}, expected those of a native "
        "config, or opt and vocab"
    )
