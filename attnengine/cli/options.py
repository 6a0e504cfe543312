"""The options of the commands: each is declared once, with its type, help, panel and default."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from attnengine.decoding.options import BeamOptions, SamplingOptions, declared
from attnengine.models.precisions import CACHE_BYTES, PRECISIONS

Command = TypeVar("Command", bound=Callable[..., None])

MODEL, TEXT, SEARCH, SAMPLING, SPEED = PANELS = "Model", "Text", "Search", "Sampling", "Speed"

ModelPath = Annotated[Path, typer.Argument(help="Folder or file of the model.")]
Model = Annotated[Path, typer.Option(help="Folder or file of the model.", rich_help_panel=MODEL)]
Input = Annotated[
    Path | None,
    typer.Option(help="File to read.", rich_help_panel=TEXT, show_default="standard input"),
]
Output = Annotated[
    Path | None,
    typer.Option(help="File to write.", rich_help_panel=TEXT, show_default="standard output"),
]
Json = Annotated[
    bool, typer.Option("--json", help="Write JSON, one object per line.", rich_help_panel=TEXT)
]


@dataclass(frozen=True)
class Declared:
    """An option that several commands take, or that the options of a search declare."""

    name: str
    kind: Any  # its type
    panel: str
    help: str
    default: Any = None
    shown: str | None = None  # the default in words, if ``default`` is None
    choices: tuple[str, ...] = ()  # values that a shell completes

    def parameter(self) -> inspect.Parameter:
        """The option as typer reads it from the signature of a command."""
        flag = [f"--{self.name.replace('_', '-')}"] if self.kind is bool else []
        option = typer.Option(
            *flag,
            help=self.help,
            rich_help_panel=self.panel,
            show_default=self.shown or True,
            autocompletion=(lambda: list(self.choices)) if self.choices else None,
        )
        kind: Any = self.kind if self.default is not None else self.kind | None
        hint: Any = Annotated[kind, option]
        keyword = inspect.Parameter.KEYWORD_ONLY
        return inspect.Parameter(self.name, keyword, default=self.default, annotation=hint)


PRECISION = Declared(
    "precision",
    str,
    MODEL,
    "Precision of the linear layers: float32, bfloat16, int8 or int4.",
    default="float32",
    choices=PRECISIONS,
)
CACHE_PRECISION = Declared(
    "cache_precision",
    str,
    MODEL,
    "Precision of the cached keys and values: float32, float16 or int8.",
    shown="float32 if --precision is float32, else float16",
    choices=tuple(CACHE_BYTES),
)
NUM_THREADS = Declared("num_threads", int, SPEED, "Threads of a call.", shown="all allowed cores")
NUM_WORKERS = Declared(
    "num_workers",
    int,
    SPEED,
    "Batches that run at the same time and share the threads.",
    shown="chosen for each call",
)
_KINDS: dict[Any, Any] = {int: int, float: float, str: str, bool: bool, list: list[int]}
LOADING = (PRECISION, CACHE_PRECISION, NUM_THREADS, NUM_WORKERS)


def searching(task: str) -> dict[str, Declared]:
    """The options of a search by name: those that text can spell, with the defaults of a task."""
    beam = {option.name: option for option in declared(BeamOptions)}
    sampling = {option.name: option for option in declared(SamplingOptions)}
    panels = dict.fromkeys(sampling, SAMPLING) | dict.fromkeys(beam, SEARCH)
    panels["max_batch_size"] = SPEED
    return {
        name: Declared(
            name,
            _KINDS[option.check.kind],
            panels[name],
            option.help,
            default=False if option.check.kind is bool else None,
            shown=_shown(option.by_task.get(task, option.default)),
            choices=option.check.choices,
        )
        for name, option in (beam | sampling).items()
        if option.check.kind is not None
    }


def _shown(default: Any) -> str | None:
    """A default in words; a flag is off."""
    return None if default is False else "none" if default == () else str(default)


MAX_BATCH_SIZE = searching("score")["max_batch_size"]


def takes(*options: Declared) -> Callable[[Command], Command]:
    """The ``**`` parameter of a command receives these options; help lists them by panel."""

    def declare(command: Command) -> Command:
        signature = inspect.signature(command, eval_str=True)
        given = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        keywords = [p.replace(kind=p.KEYWORD_ONLY) for p in given]
        every = sorted([*keywords, *(option.parameter() for option in options)], key=_panel)
        command.__signature__ = signature.replace(parameters=every)  # type: ignore[attr-defined]
        return command

    return declare


def _panel(parameter: inspect.Parameter) -> int:
    """Return the index of the panel of a parameter, -1 for an argument."""
    info = parameter.annotation.__metadata__[0]
    return PANELS.index(info.rich_help_panel) if info.rich_help_panel else -1


def pick(given: dict[str, Any], options: Iterable[Declared]) -> dict[str, Any]:
    """The values of the options that are ``given`` or have a default, by name."""
    values = {option.name: given[option.name] for option in options}
    return {name: value for name, value in values.items() if value is not None}
