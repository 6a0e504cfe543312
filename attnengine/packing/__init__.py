"""Packed models: the layers of a built model in one file, which a machine maps instead of packing.

The file is made by remembering how each layer was made, and read by making the same layers again,
over memory that is mapped from disk: it knows no architecture.
"""

from __future__ import annotations

from attnengine.packing.file import LAYOUTS, MismatchError
from attnengine.packing.recorder import write
from attnengine.packing.replay import read

__all__ = ["LAYOUTS", "MismatchError", "read", "write"]
