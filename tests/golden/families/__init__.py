"""Golden variants of Hugging Face's families: one file per family, found by its name."""

from __future__ import annotations

import importlib
import pkgutil

from tests.golden.families.family import Family

_modules = {
    module.name: importlib.import_module(f"{__name__}.{module.name}")
    for module in pkgutil.iter_modules(__path__)
    if module.name != "family"
}
# model_type -> family
FAMILIES: dict[str, Family] = {
    module.FAMILY.model_type or name: module.FAMILY for name, module in _modules.items()
}
