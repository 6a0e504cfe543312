"""The weights of a GGUF file in canonical names and orders."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine.errors import FormatError
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.gguf import rotary
from attnengine.loaders.gguf.container import Container
from attnengine.loaders.names import gguf as names
from attnengine.loaders.names import rename

Floats = NDArray[np.float32]


def read(file: Container, of: names.Family, config: Mapping[str, Any]) -> dict[str, Tensor]:
    """Weights by canonical name; what was done to them for GGUF is undone when they are read."""
    changed = {
        name: _restored(file, of, config, tensor)
        for name, tensor in file.tensors.items()
        if name not in rotary.TENSORS  # parts of the config
    }
    return rename(changed, of.table, file.path)


def _restored(
    file: Container, of: names.Family, config: Mapping[str, Any], tensor: Tensor
) -> Tensor:
    def is_one(pattern: str | None) -> bool:
        return pattern is not None and re.fullmatch(pattern, tensor.name) is not None

    if is_one(of.interleaved):
        return _halves(file, tensor, _heads(config, tensor.name))
    if is_one(of.transposed):
        return _changed(tensor, tensor.shape[::-1], lambda values: values.T)
    if is_one(of.shifted):
        return _changed(tensor, tensor.shape, lambda values: values - np.float32(1))
    return tensor


def _changed(tensor: Tensor, shape: tuple[int, ...], change: Callable[[Floats], Floats]) -> Tensor:
    return Tensor(tensor.name, shape, tensor.dtype, lambda: change(tensor.read()))


def _heads(config: Mapping[str, Any], name: str) -> Any:
    queries = config["num_attention_heads"]
    keys = config["num_key_value_heads"]
    return queries if "attn_q" in name or keys is None else keys


def _halves(file: Container, tensor: Tensor, heads: Any) -> Tensor:
    """Rows of each head in the order x0 x2 ... x1 x3 ..., from x0 x1 x2 x3 ...: rotary pairs."""
    rows = tensor.shape[0] if tensor.shape else 0
    if not isinstance(heads, int) or heads < 1 or rows % (2 * heads):
        raise FormatError(
            f"{file.path}: {tensor.name} has {rows} rows, expected pairs of them for {heads!r} "
            "heads"
        )

    def change(values: Floats) -> Floats:
        pairs = values.reshape(heads, -1, 2, *values.shape[1:])
        restored: Floats = pairs.swapaxes(1, 2).reshape(values.shape)
        return restored

    return _changed(tensor, tensor.shape, change)
