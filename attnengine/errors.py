"""The exceptions attnengine raises; the bindings translate C++ errors into them."""

from __future__ import annotations


class Error(Exception):
    """Base of every error that attnengine raises on purpose."""


class InvalidArgument(Error, ValueError):  # noqa: N818 - the public name
    """An argument that does not fit; says what it was and what was expected."""


class FormatError(Error, ValueError):
    """A file that is truncated, inconsistent or not what it claims to be."""


class Unsupported(Error, NotImplementedError):  # noqa: N818 - the public name
    """An architecture, switch or file feature that attnengine does not have."""
