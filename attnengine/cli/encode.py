"""The command ``encode``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attnengine.cli.options import (
    INPUT,
    MAX_BATCH_SIZE,
    MODEL_PATH,
    NUM_THREADS,
    NUM_WORKERS,
    OUTPUT,
    PRECISION,
    TEXT,
    Declared,
    pick,
    takes,
)
from attnengine.cli.output import expect, plain_lines
from attnengine.cli.text_files import answers, reading, write_answers
from attnengine.engines import Encoder, load
from attnengine.engines.encoder import POOLINGS

_POOLING = Declared(
    "pooling",
    str,
    TEXT,
    f"How token vectors become one vector: {', '.join(POOLINGS)}.",
    shown="the model's",
    choices=POOLINGS,
)
_LOADING = (PRECISION, NUM_THREADS, NUM_WORKERS)
_TRUNCATE = Declared(
    "truncate",
    bool,
    TEXT,
    "Cut a text that is longer than the model takes, instead of refusing it.",
    default=False,
)


_PROMPT = Declared("prompt", str, TEXT, "Text to put before each line.", shown="the model's")
_PROMPT_NAME = Declared(
    "prompt_name", str, TEXT, "Name of a prompt of the model.", shown="the model's default"
)
_TRUNCATE_DIM = Declared(
    "truncate_dim", int, TEXT, "Number of a vector's first elements to print.", shown="all"
)
_ENCODING = (_TRUNCATE, _POOLING, _PROMPT, _PROMPT_NAME, _TRUNCATE_DIM, MAX_BATCH_SIZE)


@takes(MODEL_PATH, INPUT, OUTPUT, *_ENCODING, *_LOADING)
def encode(model: Path, **given: Any) -> None:
    """Print the vector that an encoder makes of every line, as a JSON list."""
    engine = expect(load(model, **pick(given, _LOADING)), Encoder, "encode")
    options = pick(given, _ENCODING)
    shown = plain_lines(lambda vector: json.dumps([float(str(number)) for number in vector]))
    with reading(given["input"]) as reader:
        vectors = answers(reader, reader, lambda lines: [*engine.encode(lines, **options)])
        write_answers(map(shown, vectors), [reader], given["output"])
