"""Runs the command line in the process of the test."""

from __future__ import annotations

import io

import pytest

from attnengine import cli


class Run:
    """Calls the command line and returns its status, output and errors."""

    def __init__(self, capture: pytest.CaptureFixture[bytes], patch: pytest.MonkeyPatch) -> None:
        self.capture, self.patch = capture, patch

    def __call__(self, *arguments: object, stdin: bytes = b"") -> tuple[int, str, str]:
        self.patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self.capture.readouterr()
        status = cli.run([str(argument) for argument in arguments])
        written = self.capture.readouterr()
        return status, written.out.decode(), written.err.decode()


def refused(outcome: tuple[int, str, str], *parts: str) -> bool:
    """Whether a call ended with status 2 and one line on stderr that contains all ``parts``."""
    status, _, err = outcome
    assert status == 2
    assert err.startswith("attnengine: ")
    assert err.count("\n") == 1
    assert [part for part in parts if part not in err] == [], err
    return True
