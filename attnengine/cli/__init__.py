"""The command line: for each line of text one line of results."""

from __future__ import annotations

import contextlib
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
    """Run the console script ``attnengine``."""
    _open_closed_streams()
    status = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError:  # was reported; Python must not try again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def _open_closed_streams() -> None:
    """Give standard streams that are closed a file that fails likewise; messages are lost.

    Otherwise a file that is opened later would get their number.
    """
    closed = {"stdin": (os.O_WRONLY, "r"), "stdout": (os.O_RDONLY, "w"), "stderr": (os.O_RDWR, "w")}
    for name, (access, mode) in closed.items():
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, access), mode))


def run(arguments: Sequence[str]) -> int:
    """Run one command. Return 0, 2 for bad input (stderr has one line) or 130 for Ctrl-C."""
    try:
        app = _app(arguments)
        status = int(app(list(arguments), prog_name="attnengine", standalone_mode=False) or 0)
        sys.stdout.flush()
        return status
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except OutputClosed:
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
    with contextlib.suppress(OSError):
        print("attnengine:", " ".join(message.split()), file=sys.stderr)
    return 2
