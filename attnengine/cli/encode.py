"""The command ``encode``."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from attnengine.cli.options import (
    MAX_BATCH_SIZE,
    NUM_THREADS,
    NUM_WORKERS,
    PRECISION,
    TEXT,
    Declared,
    Input,
    Model,
    Output,
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
    "How token vectors become one vector: mean, max, first, last or attention.",
    shown="the model's",
    choices=POOLINGS,
)
_LOADING = (PRECISION, NUM_THREADS, NUM_WORKERS)
_Truncate = Annotated[
    bool,
    typer.Option(
        "--truncate",
        help="Cut a text that is longer than the model takes, instead of refusing it.",
        rich_help_panel=TEXT,
    ),
]


@takes(_POOLING, MAX_BATCH_SIZE, *_LOADING)
def encode(
    model: Model,
    input: Input = None,  # noqa: A002 - the name of the option
    output: Output = None,
    truncate: _Truncate = False,
    **given: Any,
) -> None:
    """Print the vector that an encoder makes of every line, as a JSON list."""
    engine = expect(load(model, **pick(given, _LOADING)), Encoder, "encode")
    options = {"truncate": truncate, **pick(given, [_POOLING, MAX_BATCH_SIZE])}
    shown = plain_lines(lambda vector: json.dumps([float(str(number)) for number in vector]))
    with reading(input) as reader:
        vectors = answers(reader, reader, lambda lines: [*engine.encode(lines, **options)])
        write_answers(map(shown, vectors), [reader], output)
