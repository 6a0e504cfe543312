"""The commands ``translate`` and ``generate``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from attnengine import g2p
from attnengine.cli.options import (
    LOADING,
    CachePrecision,
    Input,
    Json,
    Language,
    Model,
    Number,
    Output,
    Precision,
    Real,
    Threads,
    Workers,
)
from attnengine.cli.output import expect, json_lines, plain_lines
from attnengine.cli.text_files import answers, one_line, reading, write_answers
from attnengine.decoding.results import Hypothesis, Result
from attnengine.engines import LanguageModel, Seq2Seq, load
from attnengine.errors import InvalidArgument

_SEARCH = (
    *("beam_size", "num_hypotheses", "num_candidates", "length_penalty", "stopping"),
    *("temperature", "top_k", "seed", "max_new_tokens", "min_new_tokens", "max_batch_size"),
    *("source_language", "target_language"),
)
_NO_RESULT = Result([Hypothesis("", [], [], 0.0, 0.0, [], "stop")])


def search(
    context: typer.Context,
    model: Model = None,
    input: Input = None,  # noqa: A002 - the name of the option
    output: Output = None,
    as_json: Json = False,
    beam_size: Number = None,
    num_hypotheses: Number = None,
    num_candidates: Number = None,
    length_penalty: Real = None,
    stopping: Annotated[str | None, typer.Option(help="candidates or optimal")] = None,
    temperature: Real = None,
    top_k: Number = None,
    seed: Number = None,
    max_new_tokens: Number = None,
    min_new_tokens: Number = None,
    max_batch_size: Number = None,
    source_language: Language = None,
    target_language: Language = None,
    precision: Precision = "float32",
    cache_precision: CachePrecision = None,
    num_threads: Threads = None,
    num_workers: Workers = None,
) -> None:
    """Run ``translate`` or ``generate``, as the command was called."""
    command, given = str(context.info_name), context.params
    if model is None and command == "generate":
        raise InvalidArgument("generate needs a model, expected --model PATH")
    options = {name: given[name] for name in _SEARCH if given[name] is not None}
    find = _searcher(command, model, {name: given[name] for name in LOADING})
    find([], **options)  # complains about them before anything is read or written
    with reading(input) as reader:
        found = answers(reader, reader, lambda lines: find(lines, **options))
        shown = json_lines(_NO_RESULT) if as_json else plain_lines(_texts)
        write_answers(map(shown, found), [reader], output)


def _searcher(command: str, model: Path | None, loading: dict[str, Any]) -> Callable[..., Any]:
    """The method of the model, or of the packaged one, that the command runs."""
    if model is None:
        loading = loading | {"num_threads": loading["num_threads"] or loading["num_workers"] or 1}
    engine = load(model or g2p.PATH, **loading)
    if command == "translate":
        return expect(engine, Seq2Seq, command).translate
    return expect(engine, LanguageModel, command).generate


def _texts(result: Result) -> str:
    """The text of every hypothesis, with tabs between them."""
    return "\t".join(one_line(hypothesis.text) for hypothesis in result.hypotheses)
