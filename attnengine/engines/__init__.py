"""The engines that ``load`` returns: a model with its vocabularies, from text to results."""

from __future__ import annotations

from attnengine.engines.converting import convert
from attnengine.engines.encoder import Encoder
from attnengine.engines.language_model import LanguageModel
from attnengine.engines.loading import AnyEngine, load
from attnengine.engines.seq2seq import Seq2Seq
from attnengine.engines.speech_to_text import SpeechToText

__all__ = [
    "AnyEngine",
    "Encoder",
    "LanguageModel",
    "Seq2Seq",
    "SpeechToText",
    "convert",
    "load",
]
