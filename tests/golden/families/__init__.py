"""Golden variants of Hugging Face's families: a file each, found by its name."""

from __future__ import annotations

import importlib
import pkgutil

from tests.golden.families.family import Family

# By model_type, which may have a hyphen where its file has an underscore.
FAMILIES: dict[str, Family] = {}
for _module in pkgutil.iter_modules(__path__):
    if _module.name != "family":
        _family = importlib.import_module(f"{__name__}.{_module.name}").FAMILY
        FAMILIES[_family.model_type or _module.name] = _family
