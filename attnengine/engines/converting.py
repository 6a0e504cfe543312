"""From any format to a native folder, with a file of packed weights on request."""

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

    With ``packed`` there is also a file of weights packed in ``precision``, which a `load` in this
    precision maps from disk: it loads at once, and processes share its memory. Where the file does
    not fit the folder's weights, the version or the precision, `load` warns and packs anew.

    Raises InvalidArgument when ``destination`` is a file or a folder that is not empty and for a
    precision without ``packed``, and whatever `load` raises.
    """
    settings = build_settings(precision)
    if precision != "float32" and not packed:
        raise InvalidArgument(
            f"precision is {precision!r}, expected packed=True beside it: the native folder keeps"
            " float32"
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
