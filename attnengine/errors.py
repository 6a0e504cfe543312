"""The exceptions that attnengine raises; the bindings translate C++ errors into them."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable


class Error(Exception):
    """Base of every error that attnengine raises on purpose."""


class InvalidArgument(Error, ValueError):  # noqa: N818 - the public name
    """An argument is invalid; the message gives its value and what was expected."""


class FormatError(Error, ValueError):
    """A file is truncated, inconsistent or in another format than it claims."""


class Unsupported(Error, NotImplementedError):  # noqa: N818 - the public name
    """attnengine does not implement this architecture, setting or feature of a file."""


def warn_user(message: str) -> None:
    """Warn at the line outside of attnengine that led here."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals["__name__"].partition(".")[0] == "attnengine":
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ", did you mean 'x'?" with the name that is nearest to ``name``, or nothing."""
    import difflib  # only a mistake needs it

    nearest = difflib.get_close_matches(name, sorted(known), n=1)
    return f", did you mean {nearest[0]!r}?" if nearest else ""
