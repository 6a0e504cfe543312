"""Architectures by name; a family's file is imported when a config names the family."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from attnengine import _core
from attnengine.errors import FormatError, InvalidArgument, Unsupported
from attnengine.models import config as configs
from attnengine.models.settings import FLOAT32, BuildSettings
from attnengine.models.weights import Weights

Model = _core.Decoder | _core.Encoder
C = TypeVar("C")
Build = Callable[[Any, Weights], Model]
_architectures: dict[str, tuple[type, Build]] = {}


def register(name: str, *, config: type[C]) -> Callable[[Callable[[C, Weights], Any]], Build]:
    """Register an architecture under its name in configs.

    The file of the architecture has this name, with ``_`` for ``-``.
    """

    def enter(build: Callable[[C, Weights], Any]) -> Build:
        _architectures[name] = (config, build)
        return build

    return enter


def build(
    config: Mapping[str, Any], tensors: Mapping[str, Any], settings: BuildSettings = FLOAT32
) -> Model:
    """Build the model that a config describes.

    Parameters
    ----------
    config
        canonical keys, with ``architecture``
    tensors
        arrays, or objects with ``shape`` and ``read()``, by canonical name
    settings
        precisions and threads

    Raises
    ------
    Unsupported
        The architecture is unknown.
    FormatError
        A key of the config or a weight does not fit.
    """
    keys, build_model = _architecture(config.get("architecture"))
    weights = Weights(tensors, settings)
    try:
        model = build_model(configs.read(keys, config), weights)
    except InvalidArgument as error:  # sizes of layers that do not fit each other
        raise FormatError(f"config: {error}") from error
    weights.check_all_taken()
    return model


def config_class(name: str) -> type:
    """Return the dataclass of an architecture's keys; raise Unsupported for an unknown name."""
    return _architecture(name)[0]


def _architecture(name: Any) -> tuple[type, Build]:
    """Return the config class and the build function of an architecture."""
    if isinstance(name, str):
        module = _families().get(name.replace("-", "_"))
        if module is not None:
            importlib.import_module(module)
        if name in _architectures:
            return _architectures[name]
    raise Unsupported(f"architecture is {name!r}, expected one of {', '.join(known())}")


def known() -> list[str]:
    """Return the sorted names of all architectures; this imports every family."""
    for module in _families().values():
        importlib.import_module(module)
    return sorted(_architectures)


@cache
def _families() -> dict[str, str]:
    """Return the modules in this package's folders: name of the file -> name of the module."""
    package = importlib.import_module(__name__.rpartition(".")[0])
    modules = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return {name.rpartition(".")[2]: name for _, name, is_folder in modules if not is_folder}
