"""The command ``score``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from attnengine.cli.options import (
    INPUT,
    JSON,
    LOADING,
    MAX_BATCH_SIZE,
    MODEL_PATH,
    OUTPUT,
    TEXT,
    Declared,
    pick,
    takes,
)
from attnengine.cli.output import expect, json_lines, plain_lines
from attnengine.cli.text_files import answers, pairs, reading, write_answers
from attnengine.decoding.results import Score
from attnengine.engines import LanguageModel, Seq2Seq, load
from attnengine.errors import InvalidArgument

_NO_SCORE = Score([], [], [])
_TARGET = Declared(
    "target",
    Path,
    TEXT,
    "File with the target of each line, for an encoder-decoder.",
    shown="behind a tab on each line",
)


@takes(MODEL_PATH, INPUT, _TARGET, OUTPUT, JSON, MAX_BATCH_SIZE, *LOADING)
def score(model: Path, target: Path | None, as_json: bool, **given: Any) -> None:
    """Print the log-probability of every line.

    A language model scores the line. An encoder-decoder scores a target given its source: the
    line holds source, tab and target, or --target holds the targets.
    """
    engine = load(model, **pick(given, LOADING))
    options = pick(given, [MAX_BATCH_SIZE])
    shown = json_lines(_NO_SCORE) if as_json else plain_lines(_log_prob)
    paths = [given["input"]] if target is None else [given["input"], target]
    with ExitStack() as stack:
        readers = [stack.enter_context(reading(path)) for path in paths]
        if isinstance(engine, LanguageModel):
            if target is not None:
                raise InvalidArgument(f"target is {target}, expected none with a language model")
            texts = answers(readers[0], readers[0], lambda lines: engine.score(lines, **options))
            write_answers(map(shown, texts), readers, given["output"])
            return
        scorer = expect(engine, Seq2Seq, "score")
        scores = answers(readers[0], pairs(*readers), lambda lines: _scores(scorer, lines, options))
        write_answers(map(shown, scores), readers, given["output"])


def _scores(
    engine: Seq2Seq, lines: Sequence[tuple[str, str]], options: dict[str, Any]
) -> list[Score]:
    sources, targets = [source for source, _ in lines], [target for _, target in lines]
    found: list[Score] = engine.score(sources, targets, **options)
    return found


def _log_prob(score: Score) -> str:
    return f"{score.log_prob:.6f}"
