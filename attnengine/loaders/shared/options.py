"""Options that toolkits write into YAML, JSON and pickles, checked one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.files.damage import short

T = TypeVar("T")

_TRUE, _FALSE = ("true", "True", "1"), ("false", "False", "0", "None", "null", "~", "")
_MAX_DIGITS = 9


@dataclass(frozen=True)
class Options:
    """Options by name; a value is text, or what `str` writes as that text."""

    where: str  # the file, for messages
    values: Mapping[Any, Any]

    @classmethod
    def of(cls, where: str, values: object) -> Options:
        """Wrap what a file holds; `FormatError` unless it is a table."""
        if not isinstance(values, Mapping):
            raise FormatError(f"{where}: its options are {short(values)}, expected a table")
        return cls(where, values)

    def under(self, name: str) -> Options:
        """The options in the table `name`."""
        return Options.of(f"{self.where}: {name}", self.values.get(name))

    def text(self, name: str, default: str | None = None) -> str:
        """An option as text; `FormatError` for tables and lists, and without it and a default."""
        if name not in self.values and default is not None:
            return default
        value = self.values.get(name)
        if name not in self.values or not isinstance(value, (str, int, float, type(None))):
            raise self.error(name, "a single value")
        return str(value)

    def integer(self, name: str, default: int | None = None) -> int:
        """A number that is not negative."""
        text = self.text(name, None if default is None else str(default))
        if not text.isdecimal() or len(text) > _MAX_DIGITS:
            raise self.error(name, "an integer")
        return int(text)

    def flag(self, name: str, default: bool | None = None) -> bool:
        """True or false, in any of their spellings."""
        text = self.text(name, None if default is None else str(default))
        if text not in (*_TRUE, *_FALSE):
            raise self.error(name, "true or false")
        return text in _TRUE

    def choice(self, name: str, table: Mapping[str, T], default: str | None = None) -> T:
        """Return the table's value for an option; raise `Unsupported` if it has none."""
        text = self.text(name, default)
        if text not in table:
            expected = " or ".join(repr(known) for known in table)
            raise Unsupported(
                f"{self.where}: the option {name} is {short(text)}, expected {expected}"
            )
        return table[text]

    def only(self, table: Mapping[str, tuple[str, ...]]) -> None:
        """Check options that must have one of these values; the first is the default."""
        for name, known in table.items():
            self.choice(name, dict.fromkeys(known), known[0])

    def error(self, name: str, expected: str) -> FormatError:
        """Return the error for an option with a wrong value."""
        if name not in self.values:
            return FormatError(f"{self.where}: the option {name} is missing, expected {expected}")
        value = short(self.values[name])
        return FormatError(f"{self.where}: the option {name} is {value}, expected {expected}")
