"""Packed models: one file with the packed weights of a built model, mapped from disk by `load`.

`write` records the constructor call of each layer while a model is built. `read` repeats these
calls over mapped memory. The file therefore needs no knowledge of architectures.
"""

from __future__ import annotations

from attnengine.packing.file import LAYOUTS, MismatchError
from attnengine.packing.recorder import measure, write
from attnengine.packing.replay import read

__all__ = ["LAYOUTS", "MismatchError", "measure", "read", "write"]
