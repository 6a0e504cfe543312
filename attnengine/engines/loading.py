"""From a path to an engine: reads a model, builds it or maps its packed file."""

from __future__ import annotations

import copyreg
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from attnengine import _core, loaders, models, packing
from attnengine.engines.base import Engine
from attnengine.engines.encoder import Encoder
from attnengine.engines.language_model import LanguageModel
from attnengine.engines.seq2seq import Seq2Seq
from attnengine.engines.speech_to_text import SpeechToText
from attnengine.errors import Error, FormatError, InvalidArgument, Unsupported
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.models.settings import BuildSettings, build_settings
from attnengine.scheduling.threads import check_workers, choose_threads

if TYPE_CHECKING:
    from typing_extensions import Unpack

AnyEngine = Seq2Seq | LanguageModel | Encoder | SpeechToText
Model = _core.Decoder | _core.Encoder
E = TypeVar("E", bound=Engine)

PACKED_FILE = "packed.bin"


class LoadOptions(TypedDict, total=False):
    """The keywords of `load`, which explains each."""

    precision: str
    cache_precision: str | None
    num_threads: int | None
    num_workers: int | None


def load(
    path: str | Path,
    *,
    precision: str = "float32",
    cache_precision: str | None = None,
    num_threads: int | None = None,
    num_workers: int | None = None,
) -> AnyEngine:
    """Reads a model and makes it ready to run.

    ``path`` is a folder or a file in one of the formats of ``attnengine.loaders``;
    ``precision`` is how linear layers store their weights and multiply: "float32"; "bfloat16",
    "int8" and "int4" take a half, a quarter and a seventh of the memory (docs/precision.md has
    figures);
    ``cache_precision`` is how a Transformer's decoder keeps keys and values: "float32"; "float16"
    and "int8" take a half and little more than a quarter of the memory (docs/precision.md has
    figures); when None "float32" beside weights in float32, else "float16";
    ``num_threads`` is the number of threads of a call, when None all cores that the affinity
    mask and the control group of the process allow. A call with many texts shares them out among
    ``num_workers``, each with a step of its own in flight and its part of the threads; when None
    among as many as have enough to do.

    Raises
    ------
    FormatError
        No known format is recognised, or the model is damaged or inconsistent.
    Unsupported
        An architecture or a precision that we do not have, or a cache in float16 or int8 of a
        model that keeps no keys and values.
    InvalidArgument
        Nothing is at the path, a number of threads that is not from 1 to 1024, or more workers
        than threads.
    """
    threads = choose_threads(num_threads)
    check_workers(num_workers, threads)
    settings = build_settings(precision, cache_precision, threads)
    checkpoint = loaders.load(path)
    try:
        model = _build(checkpoint, settings)
        _check_cache(model, cache_precision)
    except (FormatError, Unsupported) as error:
        raise type(error)(f"{path}: {error}") from error
    model.num_threads = threads
    options = {
        "precision": precision,
        "cache_precision": cache_precision,
        "num_threads": num_threads,
        "num_workers": num_workers,
    }
    return _engine(model, checkpoint, options)


def load_seq2seq(path: str | Path, **options: Unpack[LoadOptions]) -> Seq2Seq:
    """`load` for an encoder-decoder; raises InvalidArgument for a model of another kind."""
    return _load_kind(Seq2Seq, path, options)


def load_language_model(path: str | Path, **options: Unpack[LoadOptions]) -> LanguageModel:
    """`load` for a language model; raises InvalidArgument for a model of another kind."""
    return _load_kind(LanguageModel, path, options)


def load_encoder(path: str | Path, **options: Unpack[LoadOptions]) -> Encoder:
    """`load` for an encoder; raises InvalidArgument for a model of another kind."""
    return _load_kind(Encoder, path, options)


def load_speech_to_text(path: str | Path, **options: Unpack[LoadOptions]) -> SpeechToText:
    """`load` for a speech model; raises InvalidArgument for a model of another kind."""
    return _load_kind(SpeechToText, path, options)


def _load_kind(kind: type[E], path: str | Path, options: LoadOptions) -> E:
    engine = load(path, **options)
    if not isinstance(engine, kind):
        raise InvalidArgument(f"{path} holds a {type(engine).__name__}, expected a {kind.__name__}")
    return engine


def _check_cache(model: _core.Decoder | _core.Encoder, precision: str | None) -> None:
    kept = model.cache_precision if isinstance(model, _core.Decoder) else None
    if kept is None and precision not in (None, "float32"):
        raise Unsupported(
            f"cache_precision is {precision!r}, expected 'float32': the model keeps no keys and"
            " values"
        )


def _engine(
    model: _core.Decoder | _core.Encoder, checkpoint: Checkpoint, options: dict[str, Any]
) -> AnyEngine:
    if isinstance(model, _core.Seq2Seq):
        return Seq2Seq(model, checkpoint, options)
    if isinstance(model, _core.SpeechSeq2Seq):
        return SpeechToText(model, checkpoint, options)
    if isinstance(model, _core.Encoder):
        return Encoder(model, checkpoint, options)
    return LanguageModel(model, checkpoint, options)


def _build(checkpoint: Checkpoint, settings: BuildSettings) -> Model:
    """The model of a checkpoint: mapped where a packed file fits it, else packed now."""
    file = checkpoint.path / PACKED_FILE
    if checkpoint.fingerprint is not None and file.is_file():
        try:
            return packing.read(file, marks(checkpoint, settings.precision), settings)
        except Error as error:
            warnings.warn(f"{file} is not used: {error}", stacklevel=3)
    return models.build(checkpoint.config, checkpoint.tensors, settings)


def marks(checkpoint: Checkpoint, precision: str) -> dict[str, Any]:
    """What must be equal for a packed file to replace a checkpoint's weights."""
    from attnengine.version import __version__  # slow: it reads the metadata of the installation

    source = None if checkpoint.fingerprint is None else checkpoint.fingerprint()
    return {"attnengine": __version__, "precision": precision, "source": source}


def _load_again(path: Path, options: Mapping[str, Any]) -> Engine:
    """An engine that was pickled; with fewer workers where the machine has fewer cores."""
    workers = options.get("num_workers")
    if workers is not None:
        workers = min(workers, choose_threads(options["num_threads"]))
    return load(path, **{**options, "num_workers": workers})


def _reduce(engine: Engine) -> tuple[Any, ...]:
    return _load_again, (engine.path.resolve(), engine._options)


for _kind in (Seq2Seq, LanguageModel, Encoder, SpeechToText):
    copyreg.pickle(_kind, _reduce)
