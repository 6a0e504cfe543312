"""PyTorch checkpoints of several toolkits, recognised by their keys."""

from __future__ import annotations

from pathlib import Path

from attnengine.loaders.files.signature import starts_with

UNDERSTANDS = "a PyTorch checkpoint of OpenNMT-py or fairseq (.pt)"
# First bytes of a checkpoint before PyTorch 1.6; later ones start like any zip archive.
_LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."


def matches(path: Path) -> bool:
    """Whether `path` has the suffix .pt or .pth, or starts like a checkpoint."""
    return path.is_file() and (path.suffix in (".pt", ".pth") or starts_with(path, _LEGACY))
