"""The command ``score``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from attnengine.cli.options import (
    LOADING,
    CachePrecision,
    Input,
    Json,
    Number,
    Output,
    Precision,
    Threads,
    Workers,
)
from attnengine.cli.output import expect, json_lines, plain_lines
from attnengine.cli.text_files import answers, pairs, reading, write_answers
from attnengine.decoding.results import Score
from attnengine.engines import LanguageModel, Seq2Seq, load
from attnengine.errors import InvalidArgument

_NO_SCORE = Score([], [], [])


def score(
    context: typer.Context,
    model: Annotated[Path, typer.Option(help="Folder or file of the model.")],
    input: Input = None,  # noqa: A002 - the name of the option
    target: Annotated[Path | None, typer.Option(help="File with the target of each line.")] = None,
    output: Output = None,
    as_json: Json = False,
    max_batch_size: Number = None,
    precision: Precision = "float32",
    cache_precision: CachePrecision = None,
    num_threads: Threads = None,
    num_workers: Workers = None,
) -> None:
    """Print the log-probability of every line.

    An encoder-decoder scores the lines of --target given those of the input, or else the second
    of two texts that stand on each line with a tab between them.
    """
    engine = load(model, **{name: context.params[name] for name in LOADING})
    options = {} if max_batch_size is None else {"max_batch_size": max_batch_size}
    shown = (
        json_lines(Score([], [], [])) if as_json else plain_lines(lambda one: f"{one.log_prob:.6f}")
    )
    paths = [input] if target is None else [input, target]
    with ExitStack() as stack:
        readers = [stack.enter_context(reading(path)) for path in paths]
        if isinstance(engine, LanguageModel):
            if target is not None:
                raise InvalidArgument(f"target is {target}, expected none with a language model")
            texts = answers(readers[0], readers[0], lambda lines: engine.score(lines, **options))
            write_answers(map(shown, texts), readers, output)
            return
        scorer = expect(engine, Seq2Seq, "score")
        scores = answers(readers[0], pairs(*readers), lambda some: _scores(scorer, some, options))
        write_answers(map(shown, scores), readers, output)


def _scores(
    engine: Seq2Seq, pairs: Sequence[tuple[str, str]], options: dict[str, Any]
) -> list[Score]:
    sources, targets = [source for source, _ in pairs], [target for _, target in pairs]
    found: list[Score] = engine.score(sources, targets, **options)
    return found


def _log_prob(score: Score) -> str:
    return f"{score.log_prob:.6f}"
