"""Reads a CTranslate2 folder: its spec names the architecture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attnengine.errors import Unsupported
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.loaders.ctranslate2 import names
from attnengine.loaders.ctranslate2.decoder import language_model
from attnengine.loaders.ctranslate2.encoder import encoder
from attnengine.loaders.ctranslate2.encoder_decoder import encoder_decoder
from attnengine.loaders.ctranslate2.file import Model
from attnengine.loaders.ctranslate2.whisper import whisper

_READERS: dict[str, Callable[[Path, Model], Checkpoint]] = {
    **dict.fromkeys(names.ENCODER_DECODERS, encoder_decoder),
    "TransformerDecoderSpec": language_model,
    "TransformerEncoderSpec": encoder,
    "WhisperSpec": whisper,
}


def read(path: Path) -> Checkpoint:
    """Read a folder; `Unsupported` names a spec or a setting that attnengine lacks."""
    model = Model.read(path / "model.bin")
    if model.spec not in _READERS:
        expected = ", ".join(filter(None, _READERS))
        raise Unsupported(f"{model.path}: spec {model.spec!r:.80}, expected one of {expected}")
    return _READERS[model.spec](path, model)
