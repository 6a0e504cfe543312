"""The command ``bench``: how fast a model runs on this machine."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from attnengine.cli.options import LOADING, SEARCH, SPEED, TEXT, Json, ModelPath, takes
from attnengine.cli.text_files import write_lines, writing

_BatchSize = Annotated[int, typer.Option(help="Texts in a batch.", rich_help_panel=TEXT)]
_InputTokens = Annotated[
    int | None,
    typer.Option(
        help="Tokens per input text.",
        rich_help_panel=TEXT,
        show_default="prompt 512, source 32, encoder 128",
    ),
]
_NewTokens = Annotated[
    int, typer.Option(help="New tokens to generate per text.", rich_help_panel=TEXT)
]
_BeamSize = Annotated[
    int, typer.Option(help="Live hypotheses per text; 1 is greedy search.", rich_help_panel=SEARCH)
]
_Repeats = Annotated[
    int, typer.Option(help="Timed runs per measurement, after a warm-up.", rich_help_panel=SPEED)
]


@takes(*LOADING)
def bench(
    path: ModelPath,
    batch_size: _BatchSize = 1,
    beam_size: _BeamSize = 1,
    input_tokens: _InputTokens = None,
    new_tokens: _NewTokens = 64,
    repeats: _Repeats = 5,
    as_json: Json = False,
    **given: Any,
) -> None:
    """Measure load time, memory and tokens per second, beside what the memory's speed allows."""
    from attnengine.profiling.report import plain
    from attnengine.profiling.speed import Settings, measure

    with writing(None) as stream:
        sizes = (batch_size, beam_size, input_tokens, new_tokens)
        facts = measure(path, Settings(*sizes, repeats, **given))
        write_lines(stream, [json.dumps(facts)] if as_json else plain(facts))
