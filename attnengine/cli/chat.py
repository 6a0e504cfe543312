"""The command ``chat``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from attnengine.cli.options import CachePrecision, Number, Precision, Real, Threads
from attnengine.cli.output import expect
from attnengine.cli.text_files import reading, write_text
from attnengine.engines import LanguageModel, load


def chat(
    model: Annotated[Path, typer.Option(help="Folder or file of the model.")],
    system: Annotated[str | None, typer.Option(help="What the model is told first.")] = None,
    temperature: Real = None,
    top_k: Number = None,
    seed: Number = None,
    max_new_tokens: Number = None,
    precision: Precision = "float32",
    cache_precision: CachePrecision = None,
    num_threads: Threads = None,
) -> None:
    """Converse with a language model: each line is a message, and its reply comes at once."""
    loading: Any = {"precision": precision, "cache_precision": cache_precision}
    engine = expect(load(model, **loading, num_threads=num_threads), LanguageModel, "chat")
    given = {"temperature": temperature, "top_k": top_k, "seed": seed}
    given["max_new_tokens"] = max_new_tokens
    options: Any = {name: value for name, value in given.items() if value is not None}
    messages = [{"role": "system", "content": system}] if system is not None else []
    with reading(None) as reader:
        for line in reader:
            messages.append({"role": "user", "content": line})
            pieces = []
            for piece in engine.stream_chat(messages, **options):
                write_text(sys.stdout.buffer, piece)
                pieces.append(piece)
            write_text(sys.stdout.buffer, "\n")
            messages.append({"role": "assistant", "content": "".join(pieces)})
