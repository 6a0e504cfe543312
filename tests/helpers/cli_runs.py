"""The command line, run in this process."""

from __future__ import annotations

import io

import pytest

from attnengine import cli


class Run:
    """One call of the command line: its status, and what it wrote."""

    def __init__(self, capture: pytest.CaptureFixture[bytes], patch: pytest.MonkeyPatch) -> None:
        self.capture, self.patch = capture, patch

    def __call__(self, *arguments: object, stdin: bytes = b"") -> tuple[int, str, str]:
        self.patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self.capture.readouterr()
        status = cli.run([str(argument) for argument in arguments])
        written = self.capture.readouterr()
        return status, written.out.decode(), written.err.decode()


def refused(outcome: tuple[int, str, str], *parts: str) -> bool:
    """Status 2 and one line on stderr that says all of ``parts``."""
    status, _, err = outcome
    assert status == 2
    assert err.startswith("attnengine: ")
    assert err.count("\n") == 1
    assert [part for part in parts if part not in err] == [], err
    return True
