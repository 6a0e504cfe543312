"""The command line: for each line of text one line of results."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module

import rich_click as click

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
    """Run one command; return its exit status.

    It is 0 if all went well or the reader of the output left, 2 for bad input and failed output
    (stderr has one line), and 130 for Ctrl-C.
    """
    try:
        status = int(COMMANDS.main(list(arguments), "attnengine", standalone_mode=False) or 0)
        sys.stdout.flush()
        return status
    except (KeyboardInterrupt, click.Abort):
        return 130
    except OutputClosed:
        return 0
    except SystemExit as stopped:  # click's answer to a reader that left during --help
        if isinstance(stopped.__context__, BrokenPipeError):
            return 0
        raise
    except click.UsageError as error:
        return _complain(error.format_message())
    except OSError as error:
        return _complain(f"{error.filename or 'standard output'}: {error.strerror}")
    except Error as error:
        return _complain(str(error))


class _Commands(click.RichGroup):
    """The commands by name; one is imported when it is asked for, as that costs time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_MODULES]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _MODULES:
            return None
        command: click.Command = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in _MODULES or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        close = get_close_matches(args[0], _MODULES, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx)


def _show_version(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        from attnengine.version import __version__

        click.echo(f"attnengine {__version__}")
        ctx.exit()


COMMANDS = _Commands(
    help="CPU inference for autoregressive sequence models.",
    no_args_is_help=False,  # a missing command is an error, like any missing argument
    params=[
        click.RichOption(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_version,
            help="Show the version and exit.",
        )
    ],
)


def _complain(message: str) -> int:
    with contextlib.suppress(OSError):
        print("attnengine:", " ".join(message.split()), file=sys.stderr)
    return 2
