"""The options of the commands: each is declared once, with its type, help, panel and default."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rich_click as click

from attnengine.decoding.options import BeamOptions, SamplingOptions, declared
from attnengine.models.precisions import CACHE_BYTES, PRECISIONS

MODEL, TEXT, SEARCH, SAMPLING, SPEED = PANELS = "Model", "Text", "Search", "Sampling", "Speed"
ARGUMENT = "Arguments"
_PATH = click.Path(path_type=Path)


@dataclass(frozen=True)
class Declared:
    """An option or argument of commands; a search declares its options for itself."""

    name: str
    kind: Any  # its type; list[int] may be given several times
    panel: str
    help: str
    default: Any = None
    shown: str | None = None  # the default in words, if ``default`` is None
    choices: tuple[str, ...] = ()  # values that a shell completes
    flag: str = ""  # the flag, if it differs from --name
    required: bool = False

    def parameter(self) -> click.Parameter:
        """The option as click reads it."""
        if self.panel == ARGUMENT:
            return click.RichArgument([self.name], type=_PATH, help=self.help)
        default = {} if self.default is None else {"default": self.default}
        return click.RichOption(
            [self.flag or f"--{self.name.replace('_', '-')}", self.name],
            type=_CLICK_TYPES.get(self.kind, self.kind),
            is_flag=self.kind is bool or None,  # False would make the value optional
            multiple=self.kind == list[int],
            required=self.required,
            help=self.help,
            panel=self.panel,
            show_default=self.shown or self.kind is not bool,
            shell_complete=self._complete if self.choices else None,
            **default,
        )

    def _complete(self, ctx: click.Context, option: click.Parameter, typed: str) -> list[str]:
        return [choice for choice in self.choices if choice.startswith(typed)]


PATH = Declared("path", Path, ARGUMENT, "Folder or file of the model.")
MODEL_PATH = Declared("model", Path, MODEL, "Folder or file of the model.", required=True)
INPUT = Declared("input", Path, TEXT, "File to read.", shown="standard input")
OUTPUT = Declared("output", Path, TEXT, "File to write.", shown="standard output")
JSON = Declared(
    "as_json", bool, TEXT, "Write JSON, one object per line.", default=False, flag="--json"
)
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
_CLICK_TYPES: dict[Any, Any] = {Path: _PATH, bool: None, list[int]: int}
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
            list[int] if option.check.kind is list else option.check.kind,
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


def takes(*parameters: Declared) -> Callable[[Callable[..., None]], click.RichCommand]:
    """The decorated function becomes a command with these parameters; help lists them by panel."""
    panels = (ARGUMENT, *PANELS)
    ordered = sorted(parameters, key=lambda parameter: panels.index(parameter.panel))

    def make(function: Callable[..., None]) -> click.RichCommand:
        return click.RichCommand(
            name=function.__name__,
            callback=function,
            params=[parameter.parameter() for parameter in ordered],
            help=inspect.getdoc(function),
            panels=[click.RichOptionPanel(ARGUMENT)],  # the first panel of the help
        )

    return make


def pick(given: dict[str, Any], options: Iterable[Declared]) -> dict[str, Any]:
    """The values of the options that are ``given`` or have a default, by name."""
    values = {option.name: given[option.name] for option in options}
    return {name: value for name, value in values.items() if value not in (None, ())}
