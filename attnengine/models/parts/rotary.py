"""Rotary position embedding: frequencies for every scaling."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.errors import FormatError, Unsupported
from attnengine.models.matrix import Floats

Doubles = NDArray[np.float64]

_MAX_POSITIONS = 2**31 - 1
_MAX_DIM = 2**16  # checked before memory is allocated


def rotary(
    head_dim: int,
    base: float,
    scaling: Mapping[str, Any] | None,
    max_positions: int,
    partial: float = 1.0,
    *,
    limited: bool = False,
) -> _core.Rotary:
    """Return the rotation of the first share ``partial`` of a head's dimensions (Su et al. 2021).

    ``scaling`` is a config's ``rope_scaling``. ``limited`` says that the caller ends sequences at
    ``limit()``. Raises FormatError for a number that is missing or out of range, and Unsupported
    for an unknown type or key.
    """
    if not limited and limit(scaling, max_positions) < max_positions:
        raise Unsupported(
            "config: 'rope_scaling' has rope_type 'longrope', which this family lacks"
        )
    if partial > 1:
        raise FormatError(f"config: 'partial_rotary_factor' is {partial}, expected at most 1")
    dim = int(head_dim * partial)
    if dim % 2 or dim > _MAX_DIM:
        raise FormatError(
            f"config: a head has {dim} dimensions, expected an even number of at most {_MAX_DIM}"
        )
    given = {"rope_type": "default"} if scaling is None else scaling
    frequencies, factor = _frequencies(dim, base, given, max_positions)
    dynamic = None
    if given["rope_type"] == "dynamic":
        dynamic = (base, _Scaling(given).number("factor"), max_positions)
    return _core.Rotary(frequencies, factor=factor, dynamic=dynamic)


def _frequencies(
    dim: int, base: float, scaling: Mapping[str, Any], max_positions: int
) -> tuple[Floats, float]:
    """Return frequencies (dim / 2,) in radians per position, and the factor of rotated vectors."""
    scale = _known(scaling)
    try:
        with np.errstate(all="ignore"):
            frequencies = base ** -(np.arange(0, dim, 2) / dim)
            frequencies, factor = scale(_Scaling(scaling), frequencies, base, max_positions)
            rounded = frequencies.astype(np.float32)
        finite = bool(np.isfinite(rounded).all())
    except FormatError:  # a ValueError too
        raise
    except (ArithmeticError, ValueError):  # logarithm of 0, division by 0
        finite = False
    if not finite:
        raise FormatError(
            f"config: 'rope_theta' {base!r} and 'rope_scaling' {scaling!r:.200} give no frequencies"
        )
    return rounded, factor


def limit(scaling: Mapping[str, Any] | None, max_positions: int) -> int:
    """Return the largest number of positions of a sequence, of which the model knows some number.

    "dynamic" goes beyond that number by its factor. For longer sequences than the original ones
    "longrope" would rotate all positions differently, also cached ones.
    """
    given = scaling or {}
    if given.get("rope_type") == "dynamic":
        longer = min(max_positions * _Scaling(given).number("factor"), _MAX_POSITIONS)
        return max(int(longer), max_positions)
    same = given.get("short_factor") == given.get("long_factor")
    if given.get("rope_type") != "longrope" or same:
        return max_positions
    return min(max_positions, int(_Scaling(given).number(_ORIGINAL)))


def halves(rows: Floats, num_heads: int, dim: int | None = None) -> Floats:
    """Reorder each head's rows (num_heads * head_dim, ...) from neighbours to halves.

    The model has the rotary pairs 2i and 2i + 1; the kernel has i and i + dim / 2. Only the first
    ``dim`` dimensions rotate, by default all.
    """
    by_head = rows.reshape(num_heads, -1, *rows.shape[1:])
    rest = np.arange(dim or by_head.shape[1], by_head.shape[1])
    turned = np.arange(dim or by_head.shape[1])
    order = np.concatenate([turned[::2], turned[1::2], rest])
    return np.ascontiguousarray(by_head[:, order]).reshape(rows.shape)


def _known(scaling: Mapping[str, Any]) -> _Scale:
    """Return the function of a scaling's type; raise Unsupported for unknown types and keys."""
    kind = scaling.get("rope_type")
    if not isinstance(kind, str) or kind not in _SCALINGS:
        known = ", ".join(_SCALINGS)
        raise Unsupported(f"config: 'rope_scaling' has rope_type {kind!r}, expected one of {known}")
    scale, keys = _SCALINGS[kind]
    for key, value in scaling.items():
        if value is not None and key not in ("rope_type", *keys, *_UNREAD.get(kind, ())):
            raise Unsupported(
                f"config: 'rope_scaling' has {key!r:.80}, which attnengine lacks for rope_type "
                f"{kind!r}"
            )
    return scale


class _Scaling:
    """The numbers of a ``rope_scaling``, checked when they are read."""

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

    def numbers(self, key: str, count: int) -> Doubles:
        value: Any = self.values.get(key)
        if not isinstance(value, list) or len(value) != count:
            raise FormatError(
                f"config: 'rope_scaling' has {key} {value!r:.80}, expected a list of {count}"
            )
        return np.array([_Scaling({key: item}).number(key) for item in value])

    def flag(self, key: str, default: bool) -> bool:
        value: Any = self.values.get(key)
        if not isinstance(value, bool | None):
            raise FormatError(
                f"config: 'rope_scaling' has {key} {value!r:.80}, expected true or false"
            )
        return default if value is None else value


def _default(
    scaling: _Scaling, frequencies: Doubles, base: float, max_positions: int
) -> tuple[Doubles, float]:
    """Plain frequencies; also "dynamic" (NTK), which only changes positions beyond the model's."""
    return frequencies, 1.0


def _linear(
    scaling: _Scaling, frequencies: Doubles, base: float, max_positions: int
) -> tuple[Doubles, float]:
    return frequencies / scaling.number("factor"), 1.0


def _llama3(
    scaling: _Scaling, frequencies: Doubles, base: float, max_positions: int
) -> tuple[Doubles, float]:
    """Divide frequencies of long waves by the factor, keep those of short waves, mix in between."""
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
    """YaRN (Peng et al. 2023): a ramp over dimensions, and a factor that scales the scores."""
    factor = scaling.number("factor")
    original = scaling.number(_ORIGINAL, max_positions)
    half = len(frequencies)

    def dimension(turns: float) -> float:
        return half * math.log(original / (turns * 2 * math.pi)) / math.log(base)

    low = dimension(scaling.number("beta_fast", 32.0))
    high = dimension(scaling.number("beta_slow", 1.0))
    if scaling.flag("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, 2 * half - 1)
    slowed = np.clip((np.arange(half) - low) / ((high - low) or 0.001), 0, 1)
    return frequencies * (1 - slowed + slowed / factor), _yarn_factor(scaling, factor)


def _yarn_factor(scaling: _Scaling, factor: float) -> float:
    """Return YaRN's factor, which grows with log(factor); DeepSeek has a ratio of two such."""
    scales = [scaling.values.get(key) for key in ("mscale", "mscale_all_dim")]
    if None in scales:
        warmth = _warmth(factor, 1.0)
    else:
        warmth = _warmth(factor, scaling.number("mscale"))
        warmth /= _warmth(factor, scaling.number("mscale_all_dim"))
    return scaling.number("attention_factor", warmth)


def _warmth(factor: float, scale: float) -> float:
    return 0.1 * scale * math.log(factor) + 1 if factor > 1 else 1.0


def _longrope(
    scaling: _Scaling, frequencies: Doubles, base: float, max_positions: int
) -> tuple[Doubles, float]:
    """LongRoPE (Ding et al. 2024): divide each frequency by its factor for short sequences."""
    slower = scaling.numbers("short_factor", len(frequencies))
    scaling.numbers("long_factor", len(frequencies))  # see limit()
    original = scaling.number(_ORIGINAL)
    if original <= 1:
        raise FormatError(
            f"config: 'rope_scaling' has {_ORIGINAL} {original}, expected a number above 1"
        )
    factor = scaling.number("factor", max_positions / original)
    warmth = math.sqrt(1 + math.log(factor) / math.log(original)) if factor > 1 else 1.0
    return frequencies / slower, scaling.number("attention_factor", warmth)


_Scale = Callable[[_Scaling, Doubles, float, int], tuple[Doubles, float]]
_ORIGINAL = "original_max_position_embeddings"
# rope_type -> function, and keys of rope_scaling that it reads
_SCALINGS: dict[str, tuple[_Scale, tuple[str, ...]]] = {
    "default": (_default, ()),
    "dynamic": (_default, ("factor",)),
    "linear": (_linear, ("factor",)),
    "llama3": (_llama3, ("factor", "low_freq_factor", "high_freq_factor", _ORIGINAL)),
    "longrope": (
        _longrope,
        ("factor", "attention_factor", "short_factor", "long_factor", _ORIGINAL),
    ),
    "yarn": (
        _yarn,
        (
            *("factor", "attention_factor", "beta_fast", "beta_slow", _ORIGINAL),
            *("mscale", "mscale_all_dim", "truncate"),
        ),
    ),
}
# keys that other engines read and transformers ignores, with which results are compared
_UNREAD = {"yarn": ("attn_factor",)}
