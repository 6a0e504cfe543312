"""Rotary position embedding: the frequencies of every scaling."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.errors import FormatError, Unsupported

Doubles = NDArray[np.float64]


def rotary(
    dim: int, base: float, scaling: Mapping[str, Any] | None, max_positions: int
) -> _core.Rotary:
    """Return the rotation of ``dim`` dimensions of a head (Su et al. 2021).

    ``scaling`` is a config's ``rope_scaling``. Raises FormatError for a number that is missing or
    out of range, Unsupported for a kind that is not known.
    """
    frequencies = base ** -(np.arange(0, dim, 2) / dim)  # (dim / 2,) radians a position
    kind = "default" if scaling is None else scaling.get("rope_type")
    if kind not in _SCALINGS:
        known = ", ".join(_SCALINGS)
        raise Unsupported(f"config: 'rope_scaling' has rope_type {kind!r}, expected one of {known}")
    frequencies, factor = _SCALINGS[kind](_Scaling(scaling or {}), frequencies, base, max_positions)
    return _core.Rotary(frequencies.astype(np.float32), factor=factor)


class _Scaling:
    """The numbers of a ``rope_scaling``, checked when asked for."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def number(self, key: str, default: float | None = None) -> float:
        value = self.values.get(key, default)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 < value < math.inf:
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
    turns = scaling.number("original_max_position_embeddings") * frequencies / (2 * math.pi)
    stay = np.clip((turns - low) / (high - low), 0, 1)
    return frequencies * (stay + (1 - stay) / factor), 1.0


def _yarn(
    scaling: _Scaling, frequencies: Doubles, base: float, max_positions: int
) -> tuple[Doubles, float]:
    """YaRN (Peng et al. 2023): a ramp over dimensions, and warmer scores."""
    factor = scaling.number("factor")
    original = scaling.number("original_max_position_embeddings", max_positions)
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
_SCALINGS: dict[str, _Scale] = {
    "default": _default,
    "dynamic": _default,
    "linear": _linear,
    "llama3": _llama3,
    "yarn": _yarn,
}
