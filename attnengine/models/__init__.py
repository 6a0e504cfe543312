"""Architectures by kind: a file each says its config and how its weights become layers."""

from __future__ import annotations

import importlib
import pkgutil

from attnengine.models.registry import build

__all__ = ["build"]

for _module in pkgutil.walk_packages(__path__, f"{__name__}."):  # each registers its architectures
    importlib.import_module(_module.name)
