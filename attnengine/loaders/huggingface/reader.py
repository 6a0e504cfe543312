"""Reads a transformers folder: its model_type names the family."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attnengine.errors import Unsupported
from attnengine.loaders import schema
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.loaders.files.damage import damage_named, short
from attnengine.loaders.files.text import CONFIG_LIMIT, read_object
from attnengine.loaders.huggingface import CONFIG, shards
from attnengine.loaders.huggingface.config import normalised, of_part
from attnengine.loaders.huggingface.families import FAMILIES
from attnengine.loaders.huggingface.sentence_transformers import read_pooling, transformer_folder
from attnengine.loaders.huggingface.tokens import read_tokens
from attnengine.loaders.huggingface.weights import canonical

# Keys that have a meaning of our own, and may have another one in a config of other software.
_OURS = {*schema.TOKEN_KEYS, "architecture"} - {*schema.SPECIAL, "decoder_start_token_id"}


def read(path: Path) -> Checkpoint:
    """Read a folder; `Unsupported` names a model_type that attnengine lacks."""
    folder = transformer_folder(path)
    file = folder / CONFIG
    given = read_object(file, CONFIG_LIMIT)
    model_type = given.get("model_type")
    family = FAMILIES.get(model_type) if isinstance(model_type, str) else None
    if family is None:
        expected = ", ".join(sorted(FAMILIES))
        raise Unsupported(f"{file}: model_type is {short(model_type)}, expected one of {expected}")
    if family.part is not None:
        given = of_part(file, given, family.part)
    with damage_named(file):
        architecture = family.architecture or model_type
        theirs = {key: value for key, value in given.items() if key not in _OURS}
        config = {"architecture": architecture, **normalised(file, theirs, family)}
    tokens = read_tokens(folder, given, config, kind=family.kind)
    config.update(tokens.config)
    if family.kind == "encoder":
        _expect_encoder(file, given)
        config.update(read_pooling(path, config.get("hidden_size", config.get("dim"))))
    tensors = canonical(folder, shards.read(folder), family, config)
    return schema.checked(path, config, tensors, tokens.vocabularies, tokens.files)


def _expect_encoder(file: Path, given: Mapping[str, Any]) -> None:
    """Refuse encoders with a causal mask or cross-attention, which give other outputs."""
    for key in ("is_decoder", "add_cross_attention"):
        if given.get(key):
            raise Unsupported(f"{file}: {key} is {short(given[key])}, expected false")
