"""The command ``bench``: how fast a model runs on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from attnengine.profiling.report import plain
from attnengine.profiling.speed import Settings, measure


def bench(
    path: Annotated[Path, typer.Argument(help="Folder or file of a model.")],
    batch_size: Annotated[int, typer.Option(help="Texts that run together.")] = 1,
    beam_size: Annotated[int, typer.Option(help="Hypotheses of each text.")] = 1,
    input_tokens: Annotated[
        int | None,
        typer.Option(help="Of a text; 512 of a prompt, 32 of a source, 128 of an encoder's text."),
    ] = None,
    new_tokens: Annotated[int, typer.Option(help="That every text gets.")] = 64,
    repeats: Annotated[int, typer.Option(help="Of each measurement, after a warm-up.")] = 5,
    precision: Annotated[str, typer.Option(help="Of the weights, as load takes it.")] = "float32",
    cache_precision: Annotated[
        str | None, typer.Option(help="Of keys and values kept, as load takes it.")
    ] = None,
    num_threads: Annotated[
        int | None, typer.Option(help="Threads of a call; all cores if not given.")
    ] = None,
    num_workers: Annotated[
        int | None, typer.Option(help="Among which they are shared out; chosen if not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object.")] = False,
) -> None:
    """Measure load time, memory and tokens a second, beside what the machine's memory allows."""
    texts = (batch_size, beam_size, input_tokens, new_tokens)
    settings = Settings(*texts, repeats, precision, cache_precision, num_threads, num_workers)
    facts = measure(path, settings)
    print(json.dumps(facts) if as_json else "\n".join(plain(facts)))
