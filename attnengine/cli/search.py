"""The commands ``translate`` and ``generate``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from attnengine import g2p
from attnengine.cli.options import (
    LOADING,
    MODEL,
    TEXT,
    Declared,
    Input,
    Json,
    Model,
    Output,
    pick,
    searching,
    takes,
)
from attnengine.cli.output import expect, json_lines, plain_lines
from attnengine.cli.text_files import answers, one_line, reading, write_answers
from attnengine.decoding.results import Hypothesis, Result
from attnengine.engines import LanguageModel, Seq2Seq, load

_TRANSLATE = (
    Declared("source_language", str, TEXT, "Language of the input.", shown="the model's, if any"),
    Declared("target_language", str, TEXT, "Language to write.", shown="the model's, if any"),
    *searching("translate").values(),
)
_GENERATE = tuple(searching("generate").values())
_NO_RESULT = Result([Hypothesis("", [], [], 0.0, 0.0, [], "stop")])
_ModelOrPackaged = Annotated[
    Path | None,
    typer.Option(
        help="Folder or file of the model.",
        rich_help_panel=MODEL,
        show_default="the built-in model, which turns English words into phonemes on 1 thread",
    ),
]


@takes(*_TRANSLATE, *LOADING)
def translate(
    model: _ModelOrPackaged = None,
    input: Input = None,  # noqa: A002 - the name of the option
    output: Output = None,
    as_json: Json = False,
    **given: Any,
) -> None:
    """Translate every line with an encoder-decoder."""
    loading = pick(given, LOADING)
    if model is None:
        loading.setdefault("num_threads", given["num_workers"] or 1)
    engine = expect(load(model or g2p.PATH, **loading), Seq2Seq, "translate")
    _search(engine.translate, pick(given, _TRANSLATE), input, output, as_json)


@takes(*_GENERATE, *LOADING)
def generate(
    model: Model,
    input: Input = None,  # noqa: A002 - the name of the option
    output: Output = None,
    as_json: Json = False,
    **given: Any,
) -> None:
    """Continue every line with a language model."""
    engine = expect(load(model, **pick(given, LOADING)), LanguageModel, "generate")
    _search(engine.generate, pick(given, _GENERATE), input, output, as_json)


def _search(
    find: Callable[..., Any],
    options: dict[str, Any],
    source: Path | None,
    output: Path | None,
    as_json: bool,
) -> None:
    find([], **options)  # checks the options before anything is read or written
    with reading(source) as reader:
        found = answers(reader, reader, lambda lines: find(lines, **options))
        shown = json_lines(_NO_RESULT) if as_json else plain_lines(_texts)
        write_answers(map(shown, found), [reader], output)


def _texts(result: Result) -> str:
    """The text of every hypothesis, with tabs between them."""
    return "\t".join(one_line(hypothesis.text) for hypothesis in result.hypotheses)
