"""Architectures by kind: each file declares a config and builds layers from weights."""

from __future__ import annotations

from attnengine.models.registry import build

__all__ = ["build"]
