"""Golden variants of Hugging Face's families: a file each, found by its name."""

from __future__ import annotations

import importlib
import pkgutil

from tests.golden.families.family import Family

# By model_type.
FAMILIES: dict[str, Family] = {
    module.name: importlib.import_module(f"{__name__}.{module.name}").FAMILY
    for module in pkgutil.iter_modules(__path__)
    if module.name != "family"
}
