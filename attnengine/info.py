"""What a model is, read from its files without building it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attnengine import loaders

_POSITIONS = ("max_positions", "max_position_embeddings", "n_positions", "max_seq_len")
_LONG = ("chat_template", "chat_tokens", "languages")  # keys of the config that say too much


def context_length(config: Mapping[str, Any]) -> int | None:
    """Tokens that a text may have; None: no limit, or one that the config does not say."""
    return next((config[key] for key in _POSITIONS if config.get(key)), None)


def describe(path: Path) -> dict[str, Any]:
    """Facts about the model at ``path``, fit for JSON.

    The keys of its config, and: ``parameters``; ``stored_as``, how many of them in each type;
    ``bytes`` of its files; ``memory``, bytes that its weights take when loaded; ``context_length``
    in tokens (null: no limit, or one that the config does not say); ``vocabularies`` by size;
    ``languages`` by name; whether it has a ``chat_template``.

    Raises what ``attnengine.loaders.load`` raises.
    """
    checkpoint = loaders.load(path)
    config = checkpoint.config
    stored: Counter[str] = Counter()
    for tensor in checkpoint.tensors.values():
        stored[tensor.dtype] += math.prod(tensor.shape)
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {
        **{key: value for key, value in config.items() if key not in _LONG},
        "parameters": stored.total(),
        "stored_as": dict(stored.most_common()),
        "bytes": sum(file.stat().st_size for file in files),
        "memory": 4 * stored.total(),  # computed in float32
        "context_length": context_length(config),
        "vocabularies": {k: len(v.tokens) for k, v in checkpoint.vocabularies.items()},
        "tokenizer_files": sorted(checkpoint.tokenizer_files),
        "languages": sorted(config.get("languages", ())),
        "chat_template": "chat_template" in config,
    }
