"""Models packed for a machine, beside the native folder that they are made from."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attnengine import _core, loaders, models, packing
from attnengine.engines.precisions import check_precision
from attnengine.errors import Error, InvalidArgument
from attnengine.loaders import native
from attnengine.loaders.checkpoint import Checkpoint

Model = _core.Decoder | _core.Encoder

FILE = "packed.bin"


def build(checkpoint: Checkpoint, precision: str, cache_precision: str, num_threads: int) -> Model:
    """The model of a checkpoint: mapped where a packed file fits it, else packed now."""
    file = checkpoint.path / FILE
    with _packing(precision, num_threads, cache_precision):
        if checkpoint.path.is_dir() and file.is_file():
            try:
                return packing.read(file, _marks(checkpoint.path, precision))
            except Error as error:
                warnings.warn(f"{file} is not used: {error}", stacklevel=3)
        return models.build(checkpoint.config, checkpoint.tensors)


@contextmanager
def _packing(precision: str, num_threads: int, cache_precision: str = "float32") -> Iterator[None]:
    """How the layers are packed that this thread makes meanwhile, and what its decoders keep."""
    _core.set_packing(num_threads, precision, cache_precision)
    try:
        yield
    finally:
        _core.set_packing()


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
    check_precision(precision)
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
    temporary = folder / f".{FILE}.{os.getpid()}.part"
    try:
        with _packing(precision, 1):
            packing.write(
                temporary,
                lambda: models.build(checkpoint.config, checkpoint.tensors),
                _marks(folder, precision),
            )
        temporary.replace(folder / FILE)
    finally:
        temporary.unlink(missing_ok=True)


def _marks(folder: Path, precision: str) -> dict[str, Any]:
    """What must be the same for a packed file to stand for a folder."""
    from attnengine import __version__

    return {
        "attnengine": __version__,
        "precision": precision,
        "source": native.fingerprint(folder),
    }
