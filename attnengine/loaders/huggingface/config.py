"""Normalises transformers' configs: every key that changes the model, in one spelling."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema
from attnengine.loaders.files.damage import short
from attnengine.loaders.huggingface.config_keys import says_nothing
from attnengine.loaders.huggingface.families import Family
from attnengine.loaders.huggingface.families.family import TIED_HEAD

_log = logging.getLogger(__name__)

# Keys of transformers, of MLX and of compressed-tensors.
_QUANTIZED = ("quantization_config", "quantization", "compression_config")


def normalised(file: Path, given: Mapping[str, Any], family: Family) -> dict[str, Any]:
    """Return every key that changes the model, in the spelling of one version."""
    for key in _QUANTIZED:
        if given.get(key):
            raise Unsupported(f"{file}: {key} is {short(given[key])}, expected weights as floats")
    config = {**_object(file, given, family.inner), **given}
    config = _left(config, family)
    _spell(file, config, family.spellings)
    if family.kind == "seq2seq":
        _vocabulary_sizes(config)
    if family.rewrite:
        family.rewrite(config)
    if "rope_theta" in family.defaults:
        config = _rotary(file, config, family)
    for key, value in family.neutral.items():
        if config.get(key) in (value, None):
            config.pop(key, None)
    return {**family.defaults, **_without_empty(file, config, family)}


def _left(config: Mapping[str, Any], family: Family) -> dict[str, Any]:
    """Return the keys that may change the numbers, without those known to say nothing of them."""
    declared = {*family.defaults, *family.neutral, *family.spellings, *schema.TOKEN_KEYS}
    unused = {*family.unused, *_QUANTIZED, family.inner}
    return {
        key: value
        for key, value in config.items()
        if key not in unused and (key in declared or not says_nothing(key))
    }


def _without_empty(file: Path, config: Mapping[str, Any], family: Family) -> dict[str, Any]:
    """Return the config without unknown keys that are null, false or empty."""
    empty = {
        key
        for key, value in config.items()
        if key not in {*family.defaults, *family.neutral, *schema.TOKEN_KEYS}
        and (value is None or value is False or value in ("", [], {}))
    }
    for key in sorted(empty):
        _log.info("%s: %s is %s and is not read", file, key, short(config[key]))
    return {key: value for key, value in config.items() if key not in empty}


def _object(file: Path, config: Mapping[str, Any], key: str | None) -> dict[str, Any]:
    """Return the object of a key; null or a missing key gives an empty one."""
    found = None if key is None else config.get(key)
    if not isinstance(found, (dict, type(None))):
        raise FormatError(f"{file}: {key} is {short(found)}, expected an object or null")
    return found or {}


def of_part(file: Path, given: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the config of a part, with the whole config's keys of tokens and tied weights."""
    part = given.get(key)
    if not isinstance(part, dict):
        raise FormatError(f"{file}: {key} is {short(part)}, expected an object")
    whole = {key: given.get(key) for key in (*schema.SPECIAL, *_QUANTIZED, TIED_HEAD)}
    return {**part, **{key: value for key, value in whole.items() if value is not None}}


def _spell(file: Path, config: dict[str, Any], spellings: Mapping[str, str]) -> None:
    """Give keys of early versions their new names; both names may occur with equal values."""
    for early, key in spellings.items():
        value = config.pop(early, None)
        if value is None:
            continue
        if config.get(key) not in (None, value):
            raise FormatError(
                f"{file}: {early} is {short(value)}, but {key}, another name of it, "
                f"is {short(config[key])}"
            )
        config[key] = value


def _vocabulary_sizes(config: dict[str, Any]) -> None:
    """Replace transformers' keys by source_vocab_size and target_vocab_size."""
    source, target = config.pop("vocab_size", None), config.pop("decoder_vocab_size", None)
    shared = config.get("share_encoder_decoder_embeddings", True)
    config["source_vocab_size"] = source
    config["target_vocab_size"] = source if shared or target is None else target
    if config.get("num_hidden_layers") == config.get("encoder_layers"):
        config.pop("num_hidden_layers", None)  # a synonym of encoder_layers


_ORIGINAL = "original_max_position_embeddings"
_KINDS = ("full_attention", "sliding_attention")  # types of layers


def _rotary(file: Path, config: Mapping[str, Any], family: Family) -> dict[str, Any]:
    """Turn rope_parameters of version 5 and the earlier keys into rope_theta and rope_scaling.

    rope_scaling is null, or has rope_type and its numbers. If layers with a window have another
    base, this becomes rope_local_base_freq.
    """
    moved = ("rope_parameters", "rope_scaling", _ORIGINAL)
    rest = {k: v for k, v in config.items() if k not in moved}
    parameters = {"rope_theta": rest.pop("rope_theta", None)}
    for key in ("rope_scaling", "rope_parameters"):
        found: Mapping[str, Any] = _object(file, config, key)
        if key == "rope_parameters" and found and "rope_local_base_freq" in family.defaults:
            found, local = _of_each_kind(file, found)
            rest.update({} if local is None else {"rope_local_base_freq": local})
        if any(isinstance(value, dict) for value in found.values()):
            raise Unsupported(f"{file}: {key} differs between layers, expected one for all")
        parameters.update(found)
    theta = parameters.pop("rope_theta", None)
    if theta is not None:
        rest["rope_theta"] = float(theta) if type(theta) is int else theta
    if "partial_rotary_factor" in parameters:
        rest["partial_rotary_factor"] = parameters.pop("partial_rotary_factor")
    rest["rope_scaling"] = _scaling(parameters, config.get(_ORIGINAL))
    return rest


def _scaling(parameters: Mapping[str, Any], original: Any) -> dict[str, Any] | None:
    """Return rope_scaling; Phi-3 keeps original positions beside it, which take precedence."""
    numbers = {k: v for k, v in parameters.items() if k not in ("type", "rope_type")}
    kind = parameters.get("rope_type") or parameters.get("type") or "default"
    if "short_factor" in numbers and kind in ("su", "yarn"):  # early names
        kind = "longrope"
    if original is not None and kind in ("llama3", "longrope", "yarn"):
        numbers[_ORIGINAL] = original
    return {"rope_type": kind, **numbers} if numbers or kind != "default" else None


def _of_each_kind(file: Path, given: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """Split rope_parameters into those of full layers and the base of layers with a window."""
    full, local = (given.get(kind) or {} for kind in _KINDS)
    known = set(given) <= set(_KINDS) and isinstance(full, dict) and isinstance(local, dict)
    plain = {"rope_type": "default", "rope_theta": None}
    if not known or {**local, **plain} != plain or local.get("rope_type", "default") != "default":
        raise Unsupported(
            f"{file}: rope_parameters is {short(given)}, expected one for each of "
            f"{' and '.join(_KINDS)}, the latter of rope_type default"
        )
    return full, local.get("rope_theta")
