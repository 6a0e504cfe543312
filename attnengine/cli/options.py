"""The options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    Path | None,
    typer.Option(help="Folder or file of the model; translate has one of English words built in."),
]
Input = Annotated[Path | None, typer.Option(help="File to read instead of standard input.")]
Output = Annotated[Path | None, typer.Option(help="File to write instead of standard output.")]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON object a line.")]
Threads = Annotated[int | None, typer.Option(help="Threads of a call; all cores if not given.")]
Workers = Annotated[
    int | None, typer.Option(help="Steps in flight, which share the threads; chosen if not given.")
]
Precision = Annotated[str, typer.Option(help="Of linear layers: float32, bfloat16, int8, int4.")]
CachePrecision = Annotated[
    str | None,
    typer.Option(help="Of keys and values kept: float32, float16, int8; chosen if not given."),
]
Language = Annotated[str | None, typer.Option(help="Of a model that translates several.")]
Number = Annotated[int | None, typer.Option()]
Real = Annotated[float | None, typer.Option()]

LOADING = ("precision", "cache_precision", "num_threads", "num_workers")
