"""Rotary position embedding: the frequencies of every scaling."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.errors import FormatError, Unsupported
from attnengine.models.registry import Floats

Doubles = NDArray[np.float64]


_MAX_DIM = 2**16  # compared before memory is taken: no weight is read yet


def rotary(
    head_dim: int,
    base: float,
    scaling: Mapping[str, Any] | None,
    max_positions: int,
    partial: float = 1.0,
) -> _core.Rotary:
    """Return the rotation of the first ``partial`` of a head's dimensions (Su et al. 2021).

    ``scaling`` is a config's ``rope_scaling``. Raises FormatError for a number that is missing or
    out of range, Unsupported for a kind or a key that is not known.
    """
    if partial > 1:
        raise FormatError(f"config: 'partial_rotary_factor' is {partial}, expected at most 1")
    dim = int(head_dim * partial)
    if dim % 2 or dim > _MAX_DIM:
        raise FormatError(
            f"config: a head has {dim} dimensions, expected an even number of at most {_MAX_DIM}"
        )
    given = {"rope_type": "default"} if scaling is None else scaling
    scale = _known(given)
    try:
        with np.errstate(all="ignore"):
            frequencies = base ** -(np.arange(0, dim, 2) / dim)  # (dim / 2,) radians a position
            frequencies, factor = scale(_Scaling(given), frequencies, base, max_positions)
            rounded = frequencies.astype(np.float32)
        finite = bool(np.isfinite(rounded).all())
    except FormatError:  # a ValueError too
        raise
    except (ArithmeticError, ValueError):  # a logarithm of 0, a division by it
        finite = False
    if not finite:
        raise FormatError(
            f"config: 'rope_theta' {base!r} and 'rope_scaling' {given!r:.200} give no frequencies"
        )
    return _core.Rotary(rounded, factor=factor)


def halves(rows: Floats, num_heads: int, dim: int | None = None) -> Floats:
    """Reorder each head's outputs (num_heads * head_dim, ...) for the kernel.

    It turns i with i + dim / 2, of the first ``dim`` (None: all); the rows are of a model that
    turns neighbours, 2i with 2i + 1.
    """
    by_head = rows.reshape(num_heads, -1, *rows.shape[1:])
    rest = np.arange(dim or by_head.shape[1], by_head.shape[1])
    turned = np.arange(dim or by_head.shape[1])
    order = np.concatenate([turned[::2], turned[1::2], rest])
    return np.ascontiguousarray(by_head[:, order]).reshape(rows.shape)


def _known(scaling: Mapping[str, Any]) -> _Scale:
    """Return the function of a kind of scaling all of whose keys we have."""
    kind = scaling.get("rope_type")
    if not isinstance(kind, str) or kind not in _SCALINGS:
        known = ", ".join(_SCALINGS)
        raise Unsupported(f"config: 'rope_scaling' has rope_type {kind!r}, expected one of {known}")
    scale, keys = _SCALINGS[kind]
    for key, value in scaling.items():
        if value is not None and key not in ("rope_type", *keys):
            raise Unsupported(
                f"config: 'rope_scaling' has {key!r:.80}, which rope_type {kind!r} has not here"
            )
    return scale


class _Scaling:
    """The numbers of a ``rope_scaling``, checked when asked for."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def number(self, key: str, default: float | None = None) -> float:
        value: Any = self.values.get(key)
        value = default if value is None else value
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 < value <= sys.float_info.max:
            raise FormatError(
                f"config: 'rope_scaling' has {key} {value!r}, expected a number above 0"
            )
        return float(value)


def _default(
    scaling: _Scaling, frequencies: Doubles, base: float, max_positions: int
) -> tuple[Doubles, float]:
    """As trained. Also "dynamic" (NTK), which changes nothing up to the model's positions."""
    return frequencies, 1.0


def _linear(
    scaling: _Scaling, frequencies: Doubles, base: float, max_positions: int
) -> tuple[Doubles, float]:
    return frequencies / scaling.number("factor"), 1.0


def _llama3(
    scaling: _Scaling, frequencies: Doubles, base: float, max_positions: int
) -> tuple[Doubles, float]:
    """Long waves are slowed down by the factor, short ones stay, those between are mixed."""
    factor = scaling.number("factor")
    low, high = scaling.number("low_freq_factor"), scaling.number("high_freq_factor")
    if not low < high:
        raise FormatError(
            f"config: 'rope_scaling' has low_freq_factor {low}, expected less than "
            f"high_freq_factor {high}"
        )
    turns = scaling.number(_ORIGINAL) * frequencies / (2 * math.pi)
    stay = np.clip((turns - low) / (high - low), 0, 1)
    return frequencies * (stay + (1 - stay) / factor), 1.0


def _yarn(
    scaling: _Scaling, frequencies: Doubles, base: float, max_positions: int
) -> tuple[Doubles, float]:
    """YaRN (Peng et al. 2023): a ramp over dimensions, and warmer scores."""
    factor = scaling.number("factor")
    original = scaling.number(_ORIGINAL, max_positions)
    half = len(frequencies)

    def dimension(turns: float) -> float:
        return half * math.log(original / (turns * 2 * math.pi)) / math.log(base)

    low = max(math.floor(dimension(scaling.number("beta_fast", 32.0))), 0)
    high = min(math.ceil(dimension(scaling.number("beta_slow", 1.0))), 2 * half - 1)
    slowed = np.clip((np.arange(half) - low) / max(high - low, 0.001), 0, 1)
    warmth = 0.1 * math.log(factor) + 1 if factor > 1 else 1.0
    attention_factor = scaling.number("attention_factor", warmth)
    return frequencies * (1 - slowed + slowed / factor), attention_factor


_Scale = Callable[[_Scaling, Doubles, float, int], tuple[Doubles, float]]
_ORIGINAL = "original_max_position_embeddings"
# The function and the keys of each rope_type.
_SCALINGS: dict[str, tuple[_Scale, tuple[str, ...]]] = {
    "default": (_default, ()),
    "dynamic": (_default, ("factor",)),
    "linear": (_linear, ("factor",)),
    "llama3": (_llama3, ("factor", "low_freq_factor", "high_freq_factor", _ORIGINAL)),
    "yarn": (_yarn, ("factor", "attention_factor", "beta_fast", "beta_slow", _ORIGINAL)),
}
