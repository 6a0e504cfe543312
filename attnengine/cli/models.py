"""The commands ``info`` and ``convert``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from attnengine import engines
from attnengine.cli.options import ARGUMENT, JSON, MODEL, PATH, PRECISION, Declared, pick, takes
from attnengine.cli.text_files import write_lines, writing

_PACKED_PRECISION = replace(PRECISION, help="Precision of the packed weights; needs --packed.")
_SOURCE = replace(PATH, name="source")
_FOLDER = Declared("folder", Path, ARGUMENT, "Folder to write, new or empty.")
_PACKED = Declared(
    "packed",
    bool,
    MODEL,
    "Also write packed weights, which load maps from disk.",
    default=False,
)


@takes(PATH, JSON)
def info(path: Path, as_json: bool) -> None:
    """Show what a model is: sizes, parameters, types, memory, tokenizer, languages, special ids."""
    from attnengine.profiling.sizes import describe

    with writing(None) as stream:
        facts = describe(path)
        if as_json:
            lines = [json.dumps(facts, ensure_ascii=False)]
        else:
            lines = [f"{name}: {_shown(fact)}" for name, fact in facts.items()]
        write_lines(stream, lines)


def _shown(fact: Any) -> str:
    return fact if isinstance(fact, str) else json.dumps(fact)


@takes(_SOURCE, _FOLDER, _PACKED, _PACKED_PRECISION)
def convert(source: Path, folder: Path, packed: bool, **given: Any) -> None:
    """Write a model as a native folder, which loads fastest."""
    engines.convert(source, folder, packed=packed, **pick(given, [_PACKED_PRECISION]))
