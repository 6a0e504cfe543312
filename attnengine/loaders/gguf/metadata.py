"""The metadata below a file's architecture; the config takes its values one by one."""

from __future__ import annotations

from typing import Any

import numpy as np

from attnengine.errors import Unsupported
from attnengine.loaders.files.damage import short
from attnengine.loaders.gguf.container import Container
from attnengine.loaders.gguf.families import IGNORED, NEUTRAL

ARCHITECTURE = "general.architecture"


class Metadata:
    """Metadata of a file; values that nothing takes are refused as unknown."""

    def __init__(self, file: Container) -> None:
        self.path = file.path
        self.prefix = f"{file.metadata[ARCHITECTURE]}."
        self.left = {
            key[len(self.prefix) :]: value
            for key, value in file.metadata.items()
            if key.startswith(self.prefix)
        }

    def take(self, key: str, default: Any = None) -> Any:
        """Take a number or text; an array must have the same value for every layer."""
        value = self.left.pop(key, default)
        if isinstance(value, np.ndarray):
            if len(set(value.tolist())) != 1:
                raise self.unsupported(key, value.tolist(), "expected the same for every layer")
            value = value[0].item()
        return float(str(np.float32(value))) if isinstance(value, float) else value

    def refuse_others(self, ignored: frozenset[str]) -> None:
        """Raise `Unsupported` for values that were not taken, unless they change nothing."""
        for key, value in self.left.items():
            expected = NEUTRAL.get(key, ())
            neutral = isinstance(value, (int, str)) and value in expected
            if key not in IGNORED | ignored and not neutral:
                means = f"expected {expected[0]}" if expected else "which is not known"
                raise self.unsupported(key, value, means)

    def unsupported(self, key: str, value: object, expected: str) -> Unsupported:
        """Return the error for an unsupported value."""
        return Unsupported(f"{self.path}: {self.prefix}{key} is {short(value)}, {expected}")
