"""CPU inference for autoregressive sequence models: RNNs with attention and Transformers.

A name is imported when it is first used.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attnengine import audio, decoding, g2p, kernels, loaders, reference, tokenizers
    from attnengine.decoding.attentions import Attentions
    from attnengine.decoding.beam_search import BeamSearch
    from attnengine.decoding.options import Options
    from attnengine.decoding.results import (
        BeamTree,
        Hypothesis,
        Result,
        Score,
        SearchHypothesis,
        Transcription,
    )
    from attnengine.engines import (
        EncodeOptions,
        Encoder,
        EncoderState,
        LanguageModel,
        LoadOptions,
        Seq2Seq,
        SpeechToText,
        TranslationOptions,
        convert,
        load,
        load_encoder,
        load_language_model,
        load_seq2seq,
        load_speech_to_text,
    )
    from attnengine.errors import Error, FormatError, InvalidArgument, Unsupported
    from attnengine.loaders.native.writer import save

    __version__: str

__all__ = [
    "Attentions",
    "BeamSearch",
    "BeamTree",
    "EncodeOptions",
    "Encoder",
    "EncoderState",
    "Error",
    "FormatError",
    "Hypothesis",
    "InvalidArgument",
    "LanguageModel",
    "LoadOptions",
    "Options",
    "Result",
    "Score",
    "SearchHypothesis",
    "Seq2Seq",
    "SpeechToText",
    "Transcription",
    "TranslationOptions",
    "Unsupported",
    "__version__",
    "audio",
    "convert",
    "decoding",
    "g2p",
    "kernels",
    "load",
    "load_encoder",
    "load_language_model",
    "load_seq2seq",
    "load_speech_to_text",
    "loaders",
    "reference",
    "save",
    "tokenizers",
]

# The public names of each module; other names in __all__ are modules.
_MODULES = {
    "decoding.attentions": ("Attentions",),
    "decoding.beam_search": ("BeamSearch",),
    "decoding.options": ("Options",),
    "decoding.results": (
        "BeamTree",
        "Hypothesis",
        "Result",
        "Score",
        "SearchHypothesis",
        "Transcription",
    ),
    "engines": (
        *(
            "EncodeOptions",
            "Encoder",
            "EncoderState",
            "LanguageModel",
            "LoadOptions",
            "Seq2Seq",
            "SpeechToText",
        ),
        *("TranslationOptions", "convert", "load", "load_encoder", "load_language_model"),
        *("load_seq2seq", "load_speech_to_text"),
    ),
    "errors": ("Error", "FormatError", "InvalidArgument", "Unsupported"),
    "loaders.native.writer": ("save",),
    "version": ("__version__",),
}

_HOMES = {name: module for module, names in _MODULES.items() for name in names}

if find_spec("attnengine._core") is None:
    raise ImportError(
        f"{__path__[0]} holds sources that are not built: run `pip install -e .` in the folder "
        "above, or start Python elsewhere to use an installed attnengine"
    )


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: Any = importlib.import_module(f"{__name__}.{_HOMES.get(name, name)}")
    if name == "decoding":
        importlib.import_module(f"{__name__}.decoding.options")  # its public module
    if name in _HOMES:
        found = getattr(found, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
