"""The commands ``translate`` and ``generate``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from attnengine import g2p
from attnengine.cli.options import (
    INPUT,
    JSON,
    LOADING,
    MODEL_PATH,
    OUTPUT,
    TEXT,
    Declared,
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
_MODEL_OR_PACKAGED = replace(
    MODEL_PATH,
    required=False,
    shown="the built-in model, which turns English words into phonemes on 1 thread",
)
_FILES = (INPUT, OUTPUT, JSON)


@takes(_MODEL_OR_PACKAGED, *_FILES, *_TRANSLATE, *LOADING)
def translate(model: Path | None, **given: Any) -> None:
    """Translate every line with an encoder-decoder."""
    loading = pick(given, LOADING)
    if model is None:
        loading.setdefault("num_threads", given["num_workers"] or 1)
    engine = expect(load(model or g2p.PATH, **loading), Seq2Seq, "translate")
    _search(engine.translate, pick(given, _TRANSLATE), given)


@takes(MODEL_PATH, *_FILES, *_GENERATE, *LOADING)
def generate(model: Path, **given: Any) -> None:
    """Continue every line with a language model."""
    engine = expect(load(model, **pick(given, LOADING)), LanguageModel, "generate")
    _search(engine.generate, pick(given, _GENERATE), given)


def _search(find: Callable[..., Any], options: dict[str, Any], given: dict[str, Any]) -> None:
    find([], **options)  # checks the options before anything is read or written
    with reading(given["input"]) as reader:
        found = answers(reader, reader, lambda lines: find(lines, **options))
        shown = json_lines(_NO_RESULT) if given["as_json"] else plain_lines(_texts)
        write_answers(map(shown, found), [reader], given["output"])


def _texts(result: Result) -> str:
    """The text of every hypothesis, with tabs between them."""
    return "\t".join(one_line(hypothesis.text) for hypothesis in result.hypotheses)
