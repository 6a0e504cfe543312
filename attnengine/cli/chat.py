"""The command ``chat``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attnengine.cli.options import (
    CACHE_PRECISION,
    MODEL_PATH,
    NUM_THREADS,
    PRECISION,
    TEXT,
    Declared,
    pick,
    searching,
    takes,
)
from attnengine.cli.output import expect
from attnengine.cli.text_files import reading, write_text, writing
from attnengine.engines import LanguageModel, load

_NAMES = ("temperature", "top_k", "seed", "max_new_tokens")
_SEARCH = [searching("generate")[name] for name in _NAMES]
_LOADING = (PRECISION, CACHE_PRECISION, NUM_THREADS)
_SYSTEM = Declared(
    "system", str, TEXT, "System message that starts the conversation.", shown="none"
)


@takes(MODEL_PATH, _SYSTEM, *_SEARCH, *_LOADING)
def chat(model: Path, system: str | None, **given: Any) -> None:
    """Converse with a language model: each line is a message, and its reply comes at once."""
    engine = expect(load(model, **pick(given, _LOADING)), LanguageModel, "chat")
    options = pick(given, _SEARCH)
    messages = [{"role": "system", "content": system}] if system is not None else []
    with reading(None) as reader, writing(None) as stream:
        for line in reader:
            messages.append({"role": "user", "content": line})
            pieces = []
            for piece in engine.stream_chat(messages, **options):
                write_text(stream, piece)
                pieces.append(piece)
            write_text(stream, "\n")
            messages.append({"role": "assistant", "content": "".join(pieces)})
