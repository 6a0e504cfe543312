"""Folders of transformers: config.json with a model_type, weights and tokenizer files.

Config keys and weight names stay as transformers spells them. Where its versions differ,
in names, in keys that may be absent or in weights that stand twice, one form is chosen:
what save_pretrained of the model with its head writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from attnengine.errors import Error, FormatError, Unsupported
from attnengine.loaders import schema, shards
from attnengine.loaders.checkpoint import Checkpoint, Tensor, vocabularies
from attnengine.loaders.files import CONFIG_LIMIT, damage_named, read_object, short
from attnengine.loaders.huggingface_tokens import read_tokens
from attnengine.loaders.names.huggingface import FAMILIES, IGNORED, Family

UNDERSTANDS = "a Hugging Face folder (config.json with model_type)"
CONFIG = "config.json"


def matches(path: Path) -> bool:
    """Whether `path` is a folder whose config.json has a model_type and is not native."""
    if not (path / CONFIG).is_file():
        return False
    try:
        config = read_object(path / CONFIG, CONFIG_LIMIT)
    except Error:  # of a damaged native folder too, whose reader says what is wrong
        return False
    return "model_type" in config and config.get("format") != "attnengine"


def read(path: Path) -> Checkpoint:
    """Read a folder; `Unsupported` names a model_type that attnengine does not have."""
    file = path / CONFIG
    given = read_object(file, CONFIG_LIMIT)
    model_type = given["model_type"]
    family = FAMILIES.get(model_type) if isinstance(model_type, str) else None
    if family is None:
        expected = ", ".join(FAMILIES)
        raise Unsupported(f"{file}: model_type is {short(model_type)}, expected one of {expected}")
    with damage_named(file):
        config = {"architecture": model_type, **normalised(file, given, family)}
    tokens = read_tokens(path, given, config, kind=family.kind)
    config.update(tokens.config)
    schema.check(config, tokens.vocabularies, str(path))
    tensors = canonical(path, shards.read(path), family, config)
    return Checkpoint(config, tensors, vocabularies(tokens.vocabularies), path, tokens.files)


def normalised(file: Path, given: Mapping[str, Any], family: Family) -> dict[str, Any]:
    """Every key that says what the model computes, in the spelling of one version."""
    if given.get("quantization_config") is not None:
        method = short(given["quantization_config"])
        raise Unsupported(f"{file}: quantization_config is {method}, expected weights as floats")
    config = {key: value for key, value in given.items() if key not in IGNORED}
    config.pop("quantization_config", None)
    if family.kind == "seq2seq":
        _vocabulary_sizes(config)
    if "rope_theta" in family.defaults:
        config = _rotary(file, config)
    for key, value in family.neutral.items():
        if config.get(key) == value:
            config.pop(key, None)
    return {**family.defaults, **config}


def _vocabulary_sizes(config: dict[str, Any]) -> None:
    """source_vocab_size and target_vocab_size instead of transformers' keys."""
    source, target = config.pop("vocab_size", None), config.pop("decoder_vocab_size", None)
    shared = config.get("share_encoder_decoder_embeddings", True)
    config["source_vocab_size"] = source
    config["target_vocab_size"] = source if shared or target is None else target
    if config.get("num_hidden_layers") == config.get("encoder_layers"):
        config.pop("num_hidden_layers", None)  # another name of it


def _rotary(file: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """Turn rope_parameters of version 5 and what came before it into rope_theta and rope_scaling.

    rope_scaling is null, or has rope_type and its numbers.
    """
    rest = {k: v for k, v in config.items() if k not in ("rope_parameters", "rope_scaling")}
    parameters = {"rope_theta": rest.pop("rope_theta", None)}
    for key in ("rope_scaling", "rope_parameters"):
        found = config.get(key)
        if not isinstance(found, (dict, type(None))):
            raise FormatError(f"{file}: {key} is {short(found)}, expected an object or null")
        if any(isinstance(value, dict) for value in (found or {}).values()):
            raise Unsupported(f"{file}: {key} differs between layers, expected one for all")
        parameters.update(found or {})
    before, kind = parameters.pop("type", None), parameters.pop("rope_type", None)
    kind = kind or before or "default"
    theta = parameters.pop("rope_theta", None)
    if theta is not None:
        rest["rope_theta"] = float(theta) if type(theta) is int else theta
    if "partial_rotary_factor" in parameters:
        rest["partial_rotary_factor"] = parameters.pop("partial_rotary_factor")
    plain = kind == "default" and not parameters
    rest["rope_scaling"] = None if plain else {"rope_type": kind, **parameters}
    return rest


def canonical(
    path: Path, tensors: Mapping[str, Tensor], family: Family, config: Mapping[str, Any]
) -> dict[str, Tensor]:
    """Weights under the names that the model with its head has, each of them once."""
    named: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        full = name if name.startswith((family.prefix, *family.heads)) else family.prefix + name
        if re.search(family.buffers, full):
            continue
        if full in named:
            raise FormatError(f"{path}: {named[full].name!r} and {name!r} are both {full!r}")
        named[full] = tensor
    for tie in family.ties:
        if tie.copy in named and all(config[switch] is True for switch in tie.switches):
            copy = named.pop(tie.copy)
            _expect_equal(path, named.setdefault(tie.kept, copy), copy, tie.switches)
    return named


def _expect_equal(path: Path, kept: Tensor, copy: Tensor, switches: tuple[str, ...]) -> None:
    """Tied weights of which a file holds two must be the same: which to use is not ours to say."""
    if kept is copy:
        return
    if kept.shape != copy.shape or not np.array_equal(kept.read(), copy.read()):
        why = " and ".join(switches)
        raise FormatError(f"{path}: {kept.name!r} and {copy.name!r} differ, but {why} is true")
