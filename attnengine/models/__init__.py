"""Architectures by kind: a file each says its config and how its weights become layers."""

from __future__ import annotations

from attnengine.models.registry import build

__all__ = ["build"]
