"""Finds the toolkit that wrote a PyTorch checkpoint by the keys of its content."""

from __future__ import annotations

from pathlib import Path

from attnengine.errors import Unsupported
from attnengine.loaders import fairseq, opennmt
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.loaders.files.torch_checkpoint import unpickle


def read(path: Path) -> Checkpoint:
    """Read a checkpoint of a toolkit that attnengine knows."""
    content = unpickle(path)
    keys = content.keys() if isinstance(content, dict) else set()
    if {"model", "generator", "vocab", "opt"} <= keys:
        return opennmt.from_checkpoint(path, content)
    if "model" in keys and keys & {"args", "cfg"}:
        return fairseq.from_checkpoint(path, content)
    found = ", ".join(map(str, list(keys)[:20]))[:200] or f"a {type(content).__name__}"
    raise Unsupported(
        f"{path} holds {found}, expected the keys of a checkpoint of OpenNMT-py (model, generator, "
        "vocab, opt) or fairseq (model, and args or cfg)"
    )
