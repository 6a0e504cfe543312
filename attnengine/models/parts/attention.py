"""Attention heads, and the projections of queries, keys and values in each family's layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.models.matrix import Floats, Matrix, stacked
from attnengine.models.parts.blocks import check_heads
from attnengine.models.parts.rotary import halves
from attnengine.models.weights import Weights

MAX_HEADS = 2**16  # checked before memory is allocated


@dataclass(frozen=True)
class Heads:
    """The number of query heads, the number of key/value heads, and the size of a head."""

    count: int
    kv_count: int
    dim: int

    @property
    def size(self) -> int:
        """Size of the queries of all heads."""
        return self.count * self.dim

    @property
    def kv_size(self) -> int:
        """Size of the keys of all heads; the values have the same size."""
        return self.kv_count * self.dim


def heads(
    size: int,
    count: int,
    kv_count: int | None = None,
    head_dim: int | None = None,
    *,
    key: str = "num_attention_heads",
) -> Heads:
    """Return the heads of a model; raise FormatError for numbers that contradict each other.

    ``key`` is the config's name of ``count``.
    """
    if count > MAX_HEADS:
        raise FormatError(f"config: {key!r} is {count}, expected at most {MAX_HEADS}")
    if head_dim is None:
        check_heads(count, size, key)
    kv_count = kv_count or count
    if count % kv_count:
        raise FormatError(f"config: {kv_count} key/value heads, expected a divisor of {count}")
    return Heads(count, kv_count, head_dim or size // count)


def alibi(num_heads: int, max_bias: float = 8.0) -> _core.PositionBias:
    """Return ALiBi's biases (Press, Smith and Lewis 2022)."""
    return _core.PositionBias(slopes=alibi_slopes(num_heads, max_bias))


def alibi_slopes(num_heads: int, max_bias: float = 8.0) -> Floats:
    """Slopes (num_heads,): 2 ** (-max_bias * (h + 1) / num_heads) for a power of two.

    Other numbers of heads get the slopes of the next lower power of two, then every other slope of
    the next higher one, as in the authors' code.
    """
    below = 1 << (num_heads.bit_length() - 1)
    steps = np.concatenate([np.arange(1.0, below + 1), np.arange(0.5, below, 1)])[:num_heads]
    slopes: Floats = (2.0 ** (-max_bias / below * steps)).astype(np.float32)
    return slopes


def separate_qkv(
    w: Weights, size: int, heads: Heads, *, bias: bool, neighbours: int = 0
) -> dict[str, Any]:
    """Return arguments of MultiHeadAttention from ``q_proj``, ``k_proj`` and ``v_proj``.

    In the first ``neighbours`` dimensions of a head the model's rotary pairs are 2i and 2i + 1.
    """

    def turned(name: str, rows: Floats) -> Floats:
        if not neighbours or name == "v_proj":
            return rows
        return halves(rows, len(rows) // heads.dim, neighbours)

    def weight(name: str) -> Matrix:
        found = w.matrix(f"{name}.weight", sizes[name], size)
        if not neighbours or name == "v_proj":
            return found
        return Matrix.of(found.shape, lambda: turned(name, found.read()))

    sizes = {"q_proj": heads.size, "k_proj": heads.kv_size, "v_proj": heads.kv_size}
    biases = [turned(name, w.take(f"{name}.bias", sizes[name])) for name in sizes] if bias else []
    query_key_value = w.pack(
        stacked([weight(name) for name in sizes]), np.concatenate(biases) if bias else None
    )
    return _arguments(query_key_value, heads)


def grouped_qkv(w: Weights, name: str, size: int, heads: Heads, *, bias: bool) -> dict[str, Any]:
    """Return the arguments from one layer with queries, key and value of each key/value head."""
    rows = heads.size + 2 * heads.kv_size
    grouped = w.matrix(f"{name}.weight", rows, size)
    weight = Matrix.of(grouped.shape, lambda: _ungrouped(grouped.read(), heads))
    found = _ungrouped(w.take(f"{name}.bias", rows), heads) if bias else None
    return _arguments(w.pack(weight, found), heads)


def _ungrouped(rows: Floats, heads: Heads) -> Floats:
    """Reorder rows (kv_count * (queries + 2) * dim, ...) to all queries, then keys, then values."""
    rest = rows.shape[1:]
    groups = rows.reshape(heads.kv_count, -1, heads.dim, *rest)
    parts = groups[:, :-2], groups[:, -2:-1], groups[:, -1:]
    return np.concatenate([part.reshape(-1, *rest) for part in parts])


def _arguments(query_key_value: _core.Linear, heads: Heads) -> dict[str, Any]:
    return {
        "query_key_value": query_key_value,
        "num_heads": heads.count,
        "num_kv_heads": heads.kv_count,
    }
