"""The engines that ``load`` returns: a model with its tokenizers, from text to results."""

from __future__ import annotations

from attnengine.engines.converting import convert
from attnengine.engines.encoder import EncodeOptions, Encoder, EncoderState
from attnengine.engines.language_model import LanguageModel
from attnengine.engines.loading import (
    AnyEngine,
    LoadOptions,
    load,
    load_encoder,
    load_language_model,
    load_seq2seq,
    load_speech_to_text,
)
from attnengine.engines.seq2seq import Seq2Seq, TranslationOptions
from attnengine.engines.speech_to_text import SpeechToText

__all__ = [
    "AnyEngine",
    "EncodeOptions",
    "Encoder",
    "EncoderState",
    "LanguageModel",
    "LoadOptions",
    "Seq2Seq",
    "SpeechToText",
    "TranslationOptions",
    "convert",
    "load",
    "load_encoder",
    "load_language_model",
    "load_seq2seq",
    "load_speech_to_text",
]
