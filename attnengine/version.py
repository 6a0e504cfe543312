"""The version, which pyproject.toml alone says."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("attnengine")
except PackageNotFoundError:  # a checkout that is built in place
    __version__ = "0+source"
