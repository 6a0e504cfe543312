"""Sessions for development: each runs parts of .ci/run, in the virtual environment .venv."""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "tests"]


def run(session: nox.Session, *parts: str) -> None:
    """Run parts, the functions of .ci/parts.sh."""
    session.run("bash", ".ci/run", *parts, external=True)


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Check style, types and spelling, and the workflows."""
    run(session, "lint", "workflows")


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """Run the tests; without .venv, build and install the package first."""
    run(session, "tests")


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """Run the code of the documentation and the examples, and check links."""
    run(session, "docs")


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """Compare every kernel with NumPy, and time both."""
    run(session, "benchmarks_once", "kernel_table")
