"""The command ``encode``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from attnengine.cli.options import Input, Number, Output, Precision, Threads, Workers
from attnengine.cli.output import expect, plain_lines
from attnengine.cli.text_files import answers, reading, write_answers
from attnengine.engines import Encoder, load


def encode(
    model: Annotated[Path, typer.Option(help="Folder or file of the model.")],
    input: Input = None,  # noqa: A002 - the name of the option
    output: Output = None,
    pooling: Annotated[str | None, typer.Option(help="mean, max, first or last")] = None,
    truncate: Annotated[bool, typer.Option("--truncate", help="Cut what is too long.")] = False,
    max_batch_size: Number = None,
    precision: Precision = "float32",
    num_threads: Threads = None,
    num_workers: Workers = None,
) -> None:
    """Print the vector that an encoder makes of every line, as a JSON list."""
    found = load(model, precision=precision, num_threads=num_threads, num_workers=num_workers)
    engine = expect(found, Encoder, "encode")
    options: dict[str, Any] = {"pooling": pooling, "truncate": truncate}
    options |= {} if max_batch_size is None else {"max_batch_size": max_batch_size}
    shown = plain_lines(lambda vector: json.dumps([float(str(number)) for number in vector]))
    with reading(input) as reader:
        vectors = answers(reader, reader, lambda lines: [*engine.encode(lines, **options)])
        write_answers(map(shown, vectors), [reader], output)
