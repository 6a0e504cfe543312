"""The command line: for each line of text one line of results."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import typer

from attnengine.cli import bench, chat, encode, models, score, search
from attnengine.cli.text_files import OutputClosed
from attnengine.errors import Error

app = typer.Typer(
    help="CPU inference for autoregressive sequence models.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
_UsageError: Any = typer.BadParameter.__bases__[0]  # typer does not export it

app.command("translate", help="Translate every line with an encoder-decoder.")(search.search)
app.command("generate", help="Continue every line with a language model.")(search.search)
for command in (bench.bench, chat.chat, score.score, encode.encode, models.info, models.convert):
    app.command()(command)


def main() -> None:
    """What the console script ``attnengine`` runs."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one command. 0: done; 2: bad input, said on one line of stderr; 130: Ctrl-C."""
    try:
        return int(app(list(arguments), prog_name="attnengine", standalone_mode=False) or 0)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except OutputClosed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except _UsageError as error:
        return _complain(error.format_message())
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except Error as error:
        return _complain(str(error))


def _complain(message: str) -> int:
    print("attnengine:", " ".join(message.split()), file=sys.stderr)
    return 2
