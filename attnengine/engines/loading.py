"""Loading an engine from a path: reads a model, then builds it or maps its packed file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from attnengine import _core, loaders, models, packing
from attnengine.engines.base import Engine
from attnengine.engines.encoder import Encoder
from attnengine.engines.language_model import LanguageModel
from attnengine.engines.seq2seq import Seq2Seq
from attnengine.engines.speech_to_text import SpeechToText
from attnengine.errors import Error, FormatError, InvalidArgument, Unsupported, warn_user
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
    """Read a model and make it ready to run.

    ``path`` is a folder or a file in one of the formats of ``attnengine.loaders``.

    ``precision`` is the number format of the weights of linear layers: "float32", "bfloat16",
    "int8" or "int4". The last three take 1/2, 1/4 and 1/7 of the memory of float32.

    ``cache_precision`` is the number format of a Transformer decoder's cached keys and values:
    "float32", "float16" or "int8". The last two take 1/2 and little more than 1/4 of the memory.
    None: "float32" if ``precision`` is "float32", else "float16". docs/precision.md has figures
    for both options.

    ``num_threads`` is the number of threads of a call. None: all cores that the affinity mask and
    the control group of the process allow.

    ``num_workers`` is the number of workers of a call with many texts. Workers run steps in
    parallel and divide ``num_threads`` equally. None: each call chooses by its size.

    Raises
    ------
    FormatError
        The format is unknown, or the model is damaged or inconsistent.
    Unsupported
        The architecture or precision is unknown, or ``cache_precision`` is not "float32" for a
        model that caches no keys and values.
    InvalidArgument
        The path does not exist, ``num_threads`` is not from 1 to 1024, or ``num_workers`` exceeds
        it.
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
            f"cache_precision is {precision!r}, expected 'float32': the model caches no keys and"
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
    """Map the model's packed file if it matches the checkpoint; otherwise pack the weights."""
    file = checkpoint.path / PACKED_FILE
    if checkpoint.fingerprint is not None and file.is_file():
        try:
            return packing.read(file, marks(checkpoint, settings.precision), settings)
        except Error as error:
            warn_user(f"{file} is not used, the weights are packed again: {error}")
    return models.build(checkpoint.config, checkpoint.tensors, settings)


def marks(checkpoint: Checkpoint, precision: str) -> dict[str, Any]:
    """Return the properties in which a packed file must match its checkpoint."""
    from attnengine.version import __version__  # slow: it reads the metadata of the installation

    source = None if checkpoint.fingerprint is None else checkpoint.fingerprint()
    return {"attnengine": __version__, "precision": precision, "source": source}


def _load_again(path: Path, options: Mapping[str, Any]) -> Engine:
    """Load a pickled engine again, with fewer workers on a machine with fewer cores."""
    workers = options.get("num_workers")
    if workers is not None:
        workers = min(workers, choose_threads(options["num_threads"]))
    return load(path, **{**options, "num_workers": workers})


Engine._load_again = staticmethod(_load_again)
