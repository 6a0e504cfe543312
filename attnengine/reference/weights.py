"""Weights by name, and selection of weights by prefix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attnengine.reference.arrays import Floats

Config = Mapping[str, Any]
Weights = Mapping[str, Floats]


def under(weights: Weights, prefix: str) -> dict[str, Floats]:
    """Return the weights with a prefix, and remove it: ``under(w, "encoder.rnn.")``."""
    return {name[len(prefix) :]: w for name, w in weights.items() if name.startswith(prefix)}
