"""Rotary positions in GGUF files: metadata, and tensors of frequency divisors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attnengine.loaders.gguf.container import Container
from attnengine.loaders.gguf.metadata import Metadata

# Divisors of frequencies: for all sequences (Llama 3), or for short and long ones (Phi-3).
FACTORS = "rope_freqs.weight"
SHORT_FACTORS = "rope_factors_short.weight"
LONG_FACTORS = "rope_factors_long.weight"
TENSORS = (FACTORS, SHORT_FACTORS, LONG_FACTORS)

_SCALING = "rope.scaling."
# type -> key of rope.scaling -> key of rope_scaling
_TYPES: dict[str, dict[str, str]] = {
    "linear": {"factor": "factor"},
    "yarn": {"factor": "factor", "yarn_beta_fast": "beta_fast", "yarn_beta_slow": "beta_slow"},
}
_ORIGINAL = "original_max_position_embeddings"


def read(
    file: Container, values: Metadata, given: Mapping[str, Any], *, partial: bool
) -> dict[str, Any]:
    """Return ``rope_scaling`` and, if ``partial``, ``partial_rotary_factor``.

    given: the keys of the config so far. partial: the family has ``partial_rotary_factor``.
    """
    head_dim = _head_dim(values, given)
    if (size := values.take("attention.value_length", head_dim)) != head_dim:
        raise values.unsupported("attention.value_length", size, f"expected {head_dim}")
    turned = values.take("rope.dimension_count", head_dim)
    if not partial and turned != head_dim:
        expected = f"expected {head_dim}, the size of a head"
        raise values.unsupported("rope.dimension_count", turned, expected)
    original = values.take(f"{_SCALING}original_context_length")
    scaling = _factors(file, values, given, original) or _scaling(values, original)
    return {
        "rope_scaling": scaling,
        **({"partial_rotary_factor": turned / head_dim} if partial and head_dim else {}),
    }


def _head_dim(values: Metadata, given: Mapping[str, Any]) -> int | None:
    head_dim = values.take("attention.key_length", given.get("head_dim"))
    heads, size = given.get("num_attention_heads"), given.get("hidden_size")
    if head_dim is None and isinstance(heads, int) and heads > 0 and isinstance(size, int):
        return size // heads
    return head_dim if isinstance(head_dim, int) else None


def _scaling(values: Metadata, original: object) -> dict[str, Any] | None:
    kind = values.take(f"{_SCALING}type", "none")
    if kind == "none":
        return None
    if kind not in _TYPES:
        expected = ", ".join(("none", *_TYPES))
        raise values.unsupported(f"{_SCALING}type", kind, f"expected one of {expected}")
    found = {key: values.take(_SCALING + name) for name, key in _TYPES[kind].items()}
    if kind == "yarn":
        found[_ORIGINAL] = original
    return _without_none(kind, found)


def _factors(
    file: Container, values: Metadata, given: Mapping[str, Any], original: object
) -> dict[str, Any] | None:
    """Return divisors in longrope's form; a single tensor serves short and long sequences."""
    names = {
        "short_factor": SHORT_FACTORS if SHORT_FACTORS in file.tensors else FACTORS,
        "long_factor": LONG_FACTORS if LONG_FACTORS in file.tensors else FACTORS,
    }
    if any(name not in file.tensors for name in names.values()):
        return None
    shared = FACTORS in names.values()
    values.take(f"{_SCALING}type")
    found = {
        **{key: file.tensors[name].read().reshape(-1).tolist() for key, name in names.items()},
        "attention_factor": values.take(f"{_SCALING}attn_factor", 1.0 if shared else None),
        _ORIGINAL: given.get("max_position_embeddings") if shared else original,
    }
    return _without_none("longrope", found)


def _without_none(kind: str, found: Mapping[str, Any]) -> dict[str, Any]:
    return {"rope_type": kind, **{key: value for key, value in found.items() if value is not None}}
