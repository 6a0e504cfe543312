"""Architectures: one file each says its config and how its weights become layers."""

from __future__ import annotations

import importlib
import pkgutil

from attnengine.models.registry import build

__all__ = ["build"]

for _module in pkgutil.iter_modules(__path__):  # each registers its architectures
    importlib.import_module(f"{__name__}.{_module.name}")
