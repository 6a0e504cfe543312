"""Models packed for a machine, beside the native folder that they are made from."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from attnengine import _core, loaders, models, packing
from attnengine.errors import Error
from attnengine.loaders import native
from attnengine.loaders.checkpoint import Checkpoint

Model = _core.Decoder | _core.Encoder

FILE = "packed.bin"


def build(checkpoint: Checkpoint, num_threads: int) -> Model:
    """The model of a checkpoint: mapped where a packed file fits it, else packed now."""
    file = checkpoint.path / FILE
    if checkpoint.path.is_dir() and file.is_file():
        try:
            return packing.read(file, _marks(checkpoint.path))
        except Error as error:
            warnings.warn(f"{file} is not used: {error}", stacklevel=4)
    _core.set_packing_threads(num_threads)
    try:
        return models.build(checkpoint.config, checkpoint.tensors)
    finally:
        _core.set_packing_threads(1)


def convert(
    source: str | os.PathLike[str], destination: str | os.PathLike[str], *, packed: bool = False
) -> None:
    """Write the model at ``source`` as a native folder.

    With ``packed`` there is also a file of packed weights for this machine, which `load` maps from
    disk: it loads at once, and processes share its memory. Where the file does not fit the
    folder's weights, the version or the machine, `load` warns and packs anew.

    Raises InvalidArgument when ``destination`` is a file or a folder that is not empty, and
    whatever `load` raises.
    """
    loaders.convert(source, destination)
    if not packed:
        return
    folder = Path(destination)
    checkpoint = loaders.load(folder)
    temporary = folder / f".{FILE}.{os.getpid()}.part"
    try:
        packing.write(
            temporary,
            lambda: models.build(checkpoint.config, checkpoint.tensors),
            _marks(folder),
        )
        temporary.replace(folder / FILE)
    finally:
        temporary.unlink(missing_ok=True)


def _marks(folder: Path) -> dict[str, Any]:
    """What must be the same for a packed file to stand for a folder."""
    from attnengine import __version__

    return {
        "attnengine": __version__,
        "precision": "float32",
        "source": native.fingerprint(folder),
    }
