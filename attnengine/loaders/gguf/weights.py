"""The weights of a GGUF file in canonical names and orders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.gguf import families as names
from attnengine.loaders.gguf import rotary
from attnengine.loaders.gguf.container import Container
from attnengine.loaders.shared.derived import derived, rotary_halves, transposed
from attnengine.loaders.shared.renaming import rename


def read(file: Container, of: names.Family, config: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return weights by canonical name; a read undoes the changes of GGUF's converter."""
    restored = {
        name: _restored(file, of, config, tensor)
        for name, tensor in file.tensors.items()
        if name not in rotary.TENSORS  # these belong to the config
        and not _is_one(of.unused, name)
    }
    return rename(restored, of.table, file.path)


def _restored(
    file: Container, of: names.Family, config: Mapping[str, Any], tensor: Tensor
) -> Tensor:
    if _is_one(of.interleaved, tensor.name):
        return rotary_halves(tensor, _heads(config, tensor.name), file.path)
    if _is_one(of.transposed, tensor.name):
        return transposed(tensor)
    if _is_one(of.shifted, tensor.name):
        return derived([tensor], tensor.shape, lambda array: array - np.float32(1))
    return tensor


def _is_one(pattern: str | None, name: str) -> bool:
    return pattern is not None and re.fullmatch(pattern, name) is not None


def _heads(config: Mapping[str, Any], name: str) -> Any:
    queries = config["num_attention_heads"]
    keys = config["num_key_value_heads"]
    return queries if "attn_q" in name or keys is None else keys
