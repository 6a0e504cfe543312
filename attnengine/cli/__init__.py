"""The command line: for each line of text one line of results."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from attnengine.cli.text_files import OutputClosed
from attnengine.errors import Error

_MODULES = {  # of this package, by command
    "translate": "search",
    "generate": "search",
    "chat": "chat",
    "score": "score",
    "encode": "encode",
    "info": "models",
    "convert": "models",
    "bench": "bench",
}
_UsageError: Any = typer.BadParameter.__bases__[0]  # typer does not export it


def main() -> None:
    """What the console script ``attnengine`` runs."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one command. 0: done; 2: bad input, said on one line of stderr; 130: Ctrl-C."""
    try:
        app = _app(arguments)
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


def _app(arguments: Sequence[str]) -> typer.Typer:
    """The command that is asked for, or all: each costs time to import and to prepare."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.callback()(_common)
    names = [name for name in _MODULES if name in arguments[:1]] or [*_MODULES]
    for name in names:
        module = import_module(f"{__name__}.{_MODULES[name]}")
        app.command(name)(getattr(module, name))
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        from attnengine.version import __version__

        typer.echo(f"attnengine {__version__}")
        raise typer.Exit


def _common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """CPU inference for autoregressive sequence models."""


def _complain(message: str) -> int:
    print("attnengine:", " ".join(message.split()), file=sys.stderr)
    return 2
