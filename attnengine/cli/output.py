"""Answers as lines, and the kind of model that a command expects."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from attnengine.decoding.results import Result, Score
from attnengine.engines import Encoder, LanguageModel, Seq2Seq
from attnengine.errors import InvalidArgument

E = TypeVar("E", Encoder, LanguageModel, Seq2Seq)


def expect(engine: object, kind: type[E], command: str) -> E:
    """The engine if it is of the kind that the command needs, else InvalidArgument."""
    if not isinstance(engine, kind):
        wanted = {Seq2Seq: "an encoder-decoder", Encoder: "an encoder"}.get(
            kind, "a language model"
        )
        raise InvalidArgument(f"the model is {engine!r}, expected {wanted} to {command} with")
    return engine


def plain_lines(show: Callable[[Any], str]) -> Callable[[list[Any]], list[str]]:
    """Return a function from a chunk of answers to lines of text; None is an empty line."""
    return lambda found: ["" if one is None else show(one) for one in found]


def json_lines(empty: Result | Score) -> Callable[[list[Any]], list[str]]:
    """Return a function from a chunk of answers to lines of JSON; ``empty`` stands for None."""

    def show(one: Result | Score | None) -> str:
        return json.dumps((one or empty).to_dict(), ensure_ascii=False, allow_nan=False)

    return lambda found: [show(one) for one in found]
