"""Rotary positions: rotate pairs of dimensions by an angle proportional to the position."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine.reference.arrays import Floats, Integers

Doubles = NDArray[np.float64]


def rotary_frequencies(
    dim: int, base: float, scaling: Mapping[str, Any] | None = None
) -> tuple[Doubles, float]:
    """Return frequencies (dim / 2,) in radians per position (Su et al. 2021), and a factor.

    The factor multiplies sines and cosines. scaling is a config's rope_scaling with rope_type
    "default", "dynamic", "linear", "llama3", "longrope" or "yarn". "dynamic" equals "default" up to
    the trained context; `dynamic_frequencies` goes on from there. Raises ValueError for another
    rope_type.
    """
    frequencies = base ** (-np.arange(0, dim, 2) / dim)  # (dim / 2,)
    scaling = scaling or {"rope_type": "default"}
    kind = scaling["rope_type"]
    if kind in ("default", "dynamic"):
        return frequencies, 1.0
    if kind == "linear":
        return frequencies / scaling["factor"], 1.0
    if kind == "llama3":
        return llama3(frequencies, scaling), 1.0
    if kind == "longrope":  # for sequences within the trained context
        return frequencies / np.array(scaling["short_factor"]), scaling["attention_factor"]
    if kind == "yarn":
        return yarn(frequencies, base, scaling), yarn_factor(scaling)
    known = "default, dynamic, linear, llama3, longrope, yarn"
    raise ValueError(f"rope_type is {kind!r}, expected one of {known}")


def dynamic_frequencies(
    positions: Integers, frequencies: Doubles, base: float, factor: float, trained: int
) -> Doubles:
    """Return frequencies (rows, half) of positions (rows,) with NTK-aware scaling ("dynamic").

    frequencies (half,) are those of positions below ``trained``. Later positions have a larger
    base, as transformers has it for a text that ends at the position. There it also changes
    earlier positions that are read in the same call; here they keep their frequencies, so that a
    text gives the same results in one call and in many.
    """
    half = len(frequencies)
    lengths = np.maximum(positions + 1, trained)
    bases = base * (factor * lengths / trained - (factor - 1)) ** (half / (half - 1))
    grown = bases[:, None] ** -(np.arange(half) / half)
    far = positions[:, None] >= trained
    return np.where(far, grown, frequencies)


def llama3(frequencies: Doubles, scaling: Mapping[str, Any]) -> Doubles:
    """Scale frequencies like Llama 3.1: slow down long wavelengths, keep short ones."""
    context = scaling["original_max_position_embeddings"]
    shortest = context / scaling["high_freq_factor"]  # shorter wavelengths stay
    longest = context / scaling["low_freq_factor"]  # longer wavelengths are slowed down
    scaled = []
    for frequency in frequencies:
        wave = 2 * math.pi / frequency  # wavelength in positions
        slow = frequency / scaling["factor"]
        if wave <= shortest:
            scaled.append(frequency)
        elif wave >= longest:
            scaled.append(slow)
        else:
            stay = (context / wave - context / longest) / (context / shortest - context / longest)
            scaled.append((1 - stay) * slow + stay * frequency)
    return np.array(scaled)


def yarn(frequencies: Doubles, base: float, scaling: Mapping[str, Any]) -> Doubles:
    """Scale frequencies like YaRN (Peng et al. 2023, section 3.2): a ramp over the dimensions."""
    context, dim = scaling["original_max_position_embeddings"], 2 * len(frequencies)

    def dimension(turns: float) -> float:
        """Return the dimension that makes this number of turns within the trained context."""
        return dim * math.log(context / (turns * 2 * math.pi)) / (2 * math.log(base))

    first = dimension(scaling.get("beta_fast", 32))
    last = dimension(scaling.get("beta_slow", 1))
    if scaling.get("truncate", True):
        first, last = math.floor(first), math.ceil(last)
    first, last = max(first, 0), min(last, dim - 1)
    width = last - first if last != first else 0.001
    slowed = np.clip((np.arange(len(frequencies)) - first) / width, 0, 1)  # (dim / 2,)
    scaled: Doubles = (1 - slowed) * frequencies + slowed * frequencies / scaling["factor"]
    return scaled


def yarn_factor(scaling: Mapping[str, Any]) -> float:
    """Return YaRN's factor of sines and cosines, which keeps attention as sharp as trained."""
    if "attention_factor" in scaling:
        return float(scaling["attention_factor"])
    growth = max(math.log(scaling["factor"]), 0.0)
    scale, all_dimensions = 1.0, 0.0
    if "mscale" in scaling:
        scale, all_dimensions = scaling["mscale"], scaling["mscale_all_dim"]
    return float((0.1 * scale * growth + 1) / (0.1 * all_dimensions * growth + 1))


def rotate(x: Floats, positions: Integers, frequencies: Doubles, factor: float = 1.0) -> Floats:
    """Rotate dimensions i and i + half of every head by positions * frequencies[i].

    x (rows, heads, head_dim), positions (rows,), frequencies (half,) or (rows, half). Dimensions
    from 2 * half on stay. Angles are rounded to float32, as in training. Returns (rows, heads,
    head_dim).
    """
    half = frequencies.shape[-1]
    angles = positions.astype(np.float32)[:, None] * frequencies.astype(np.float32)  # (rows, half)
    cosines, sines = factor * np.cos(angles, dtype=x.dtype), factor * np.sin(angles, dtype=x.dtype)
    cosines, sines = cosines[:, None], sines[:, None]  # (rows, 1, half)
    first, second, rest = np.split(x, [half, 2 * half], axis=-1)
    turned = first * cosines - second * sines, second * cosines + first * sines
    return np.concatenate([*turned, rest], axis=-1)
