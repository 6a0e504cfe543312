"""The exceptions that attnengine raises; the bindings translate C++ errors into them."""

from __future__ import annotations


class Error(Exception):
    """Base of every error that attnengine raises on purpose."""


class InvalidArgument(Error, ValueError):  # noqa: N818 - the public name
    """An argument is invalid; the message gives its value and what was expected."""


class FormatError(Error, ValueError):
    """A file is truncated, inconsistent or in another format than it claims."""


class Unsupported(Error, NotImplementedError):  # noqa: N818 - the public name
    """attnengine does not implement this architecture, setting or feature of a file."""
