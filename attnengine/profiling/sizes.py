"""Sizes and facts of a model: from its files, and from its layers, built without weights."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from attnengine import _core, loaders, packing
from attnengine.errors import FormatError, Unsupported
from attnengine.models import build
from attnengine.models.precisions import CACHE_BYTES, PRECISIONS
from attnengine.models.settings import BuildSettings

_POSITIONS = ("max_positions", "max_position_embeddings", "n_positions", "max_seq_len")
# Bytes for each weight, with its scales: docs/precision.md.
BYTES = {"float32": 4.0, "bfloat16": 2.0, "int8": 68 / 64, "int4": 18 / 32}
_LONG = ("chat_template", "chat_tokens", "languages")  # keys of the config with long values


def context_length(config: Mapping[str, Any]) -> int | None:
    """Tokens that a text may have; None: no limit, or one that the config does not say."""
    return next((config[key] for key in _POSITIONS if config.get(key)), None)


@dataclass(frozen=True)
class _Unread:
    """A weight of zeros in the place of one of a file: memory that is not touched costs nothing."""

    name: str
    shape: tuple[int, ...]

    def read(self) -> Any:
        return np.zeros(self.shape, np.float32)


def built_sizes(
    config: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, int], dict[str, int] | None]:
    """Build a model with weights of these ``shapes``, without values; return its sizes in bytes.

    The first are the weights in each precision. The second are a token in a decoder's state in
    each precision of a cache; None for an encoder and an RNN, which keep nothing for each token.

    Raises what ``attnengine.models.build`` raises.
    """
    tensors = {name: _Unread(name, shape) for name, shape in shapes.items()}
    weights, tokens = {}, {}
    for precision, cache in zip(PRECISIONS, cycle(CACHE_BYTES), strict=False):
        settings = BuildSettings(precision=precision, cache_precision=cache, pack=False)
        model, weights[precision] = packing.measure(partial(build, config, tensors, settings))
        tokens[cache] = 0 if isinstance(model, _core.Encoder) else model.new_state().bytes_per_token
    return weights, tokens if any(tokens.values()) else None


def describe(path: Path) -> dict[str, Any]:
    """Facts about the model at ``path``, fit for JSON.

    The keys of its config, and these:

    parameters, stored_as
        The number of parameters, and how many are stored in each type.
    bytes
        The size of its files.
    memory
        Bytes that its loaded weights take, in each precision.
    cache_per_token
        Bytes that a token takes in each precision of a cache; null: nothing is kept.
    context_length
        The most tokens of a text; null: no limit, or none that the config says.
    vocabularies, languages, chat_template
        The size of each vocabulary, the names of the languages, whether there is a template.

    Raises what ``attnengine.load`` raises.
    """
    checkpoint = loaders.load(path)
    config = checkpoint.config
    shapes = {name: tensor.shape for name, tensor in checkpoint.tensors.items()}
    try:
        weights, cache = built_sizes(config, shapes)
    except (FormatError, Unsupported) as error:
        raise type(error)(f"{path}: {error}") from error
    stored: Counter[str] = Counter()
    for tensor in checkpoint.tensors.values():
        stored[tensor.dtype] += math.prod(tensor.shape)
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {
        **{key: value for key, value in config.items() if key not in _LONG},
        "parameters": stored.total(),
        "stored_as": dict(stored.most_common()),
        "bytes": sum(file.stat().st_size for file in files),
        "memory": weights,
        "cache_per_token": cache,
        "context_length": context_length(config),
        "vocabularies": {k: len(v.tokens) for k, v in checkpoint.vocabularies.items()},
        "tokenizer_files": sorted(checkpoint.tokenizer_files),
        "languages": sorted(config.get("languages", ())),
        "chat_template": "chat_template" in config,
    }
