"""The commands ``info`` and ``convert``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from attnengine import engines
from attnengine.cli.options import Json, Precision
from attnengine.profiling.sizes import describe


def info(
    path: Annotated[Path, typer.Argument(help="Folder or file of a model.")],
    as_json: Json = False,
) -> None:
    """Show what a model is: sizes, parameters, types, memory, tokenizer, languages, special ids."""
    facts = describe(path)
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    for name, fact in facts.items():
        print(f"{name}: {fact if isinstance(fact, str) else json.dumps(fact)}")


def convert(
    source: Annotated[Path, typer.Argument(help="Folder or file of a model.")],
    folder: Annotated[Path, typer.Argument(help="Where to write it; new or empty.")],
    packed: Annotated[bool, typer.Option("--packed", help="Also pack the weights.")] = False,
    precision: Precision = "float32",
) -> None:
    """Write a model as a native folder, which loads fastest."""
    engines.convert(source, folder, packed=packed, precision=precision)
