"""Conversion of a model in any format to a native folder, optionally with packed weights."""

from __future__ import annotations

import os
from pathlib import Path

from attnengine import loaders, models, packing
from attnengine.engines.loading import PACKED_FILE, marks
from attnengine.errors import InvalidArgument
from attnengine.models.settings import build_settings


def convert(
    source: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    *,
    packed: bool = False,
    precision: str = "float32",
) -> None:
    """Write the model at ``source`` as a native folder.

    With ``packed`` the folder also gets a file of weights packed in ``precision``. A `load` in this
    precision maps the file from disk instead of packing: it is fast, and processes share the
    memory. If the file belongs to other weights, or another version or precision, `load` warns and
    packs the weights again.

    Raises InvalidArgument if ``destination`` is a file or a folder that is not empty, and for a
    precision other than "float32" without ``packed``. Raises all errors of `load` too.
    """
    settings = build_settings(precision)
    if precision != "float32" and not packed:
        raise InvalidArgument(
            f"precision is {precision!r}, expected packed=True with it: without packed weights a"
            " native folder stores float32"
        )
    loaders.convert(source, destination)
    if not packed:
        return
    folder = Path(destination)
    checkpoint = loaders.load(folder)
    temporary = folder / f".{PACKED_FILE}.{os.getpid()}.part"
    try:
        packing.write(
            temporary,
            lambda: models.build(checkpoint.config, checkpoint.tensors, settings),
            marks(checkpoint, precision),
        )
        temporary.replace(folder / PACKED_FILE)
    finally:
        temporary.unlink(missing_ok=True)
