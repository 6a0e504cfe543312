"""The engines that ``load`` returns: a model with its vocabularies, from text to results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attnengine import _core, loaders
from attnengine.engines import packed
from attnengine.engines.encoder import Encoder
from attnengine.engines.language_model import LanguageModel
from attnengine.engines.packed import convert
from attnengine.engines.seq2seq import Seq2Seq
from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.threads import choose_threads

__all__ = ["Encoder", "LanguageModel", "Seq2Seq", "convert", "load"]


def load(
    path: str | Path,
    *,
    precision: str = "float32",
    num_threads: int | None = None,
    num_workers: int = 1,
) -> Seq2Seq | LanguageModel | Encoder:
    """Reads a model and makes it ready to run.

    ``path`` is a folder or a file in one of the formats of ``attnengine.loaders``;
    ``num_threads`` is the number of threads of a step, when None all cores that the affinity
    mask and the control group of the process allow.

    Raises
    ------
    FormatError
        No known format is recognised, or the model is damaged or inconsistent.
    Unsupported
        An architecture that we do not have, another precision than float32, more workers
        than one.
    InvalidArgument
        Nothing is at the path, or a number of threads that is not from 1 to 1024.
    """
    if precision != "float32":
        raise Unsupported(f"precision is {precision!r}, expected 'float32'")
    if num_workers != 1:
        raise Unsupported(f"num_workers is {num_workers!r}, expected 1")
    threads = choose_threads(num_threads)
    checkpoint = loaders.load(path)
    try:
        model = packed.build(checkpoint, threads)
    except (FormatError, Unsupported) as error:
        raise type(error)(f"{path}: {error}") from error
    model.num_threads = threads
    options = {"precision": precision, "num_threads": num_threads, "num_workers": num_workers}
    return _engine(model, checkpoint, options)


def _engine(
    model: _core.Decoder | _core.Encoder, checkpoint: Checkpoint, options: dict[str, Any]
) -> Seq2Seq | LanguageModel | Encoder:
    if isinstance(model, _core.Seq2Seq):
        return Seq2Seq(model, checkpoint, options)
    if isinstance(model, _core.Encoder):
        return Encoder(model, checkpoint, options)
    return LanguageModel(model, checkpoint, options)
