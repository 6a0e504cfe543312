"""Text files line by line, as the command line reads and writes them."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, zip_longest
from pathlib import Path
from typing import BinaryIO, TypeVar

from attnengine.engines.inputs import InvalidText
from attnengine.errors import InvalidArgument

T = TypeVar("T", bound=Sequence[str])  # a text, or several that stand on one line
R = TypeVar("R")

_CHUNK = 512  # lines that are answered together, and then written
_BOM = b"\xef\xbb\xbf"


class LineReader:
    """The lines of a file, or of standard input.

    Lines end with LF or CRLF and with nothing else; the last one may lack its end. No lines at
    all and bytes that are not UTF-8 are InvalidArgument.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.stream, self.name = stream, name
        self.number = 0  # of the line read last
        self.bytes = 0  # read so far

    @property
    def chunk(self) -> int:
        """The number of lines of a chunk: 1 from a terminal, so that each is answered at once."""
        return 1 if self.stream.isatty() else _CHUNK

    @property
    def size(self) -> int | None:
        """The size of the file in bytes, None if unknown."""
        status = os.fstat(self.stream.fileno())
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def __iter__(self) -> Iterator[str]:
        with _named(self.name):
            for raw in self.stream:
                self.number += 1
                self.bytes += len(raw)
                yield self._text(raw.removeprefix(_BOM) if self.number == 1 else raw)
        if self.number == 0:
            raise InvalidArgument(f"{self.name} is empty, expected at least one line")

    def _text(self, raw: bytes) -> str:
        try:
            return raw.removesuffix(b"\n").removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            raise InvalidArgument(
                f"{self.name}, line {self.number}: byte 0x{raw[error.start]:02x} at position"
                f" {error.start} is not valid UTF-8"
            ) from None


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Let an error of the operating system in this block name the file."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or name
        raise


@contextmanager
def reading(path: Path | None) -> Iterator[LineReader]:
    """The lines of the file at ``path``, of standard input if it is None."""
    if path is None:
        yield LineReader(sys.stdin.buffer, "standard input")
        return
    with path.open("rb") as stream:
        yield LineReader(stream, str(path))


@contextmanager
def writing(path: Path | None, readers: Sequence[LineReader] = ()) -> Iterator[BinaryIO]:
    """The file at ``path``, or standard output; never a file that is being read."""
    if path is None:
        yield sys.stdout.buffer
        return
    for reader in readers:
        if _is_same(path, reader.stream):
            raise InvalidArgument(f"output {path} is an input too, expected another file")
    with path.open("wb") as stream:
        yield stream


def _is_same(path: Path, stream: BinaryIO) -> bool:
    try:
        return path.is_file() and os.path.samestat(path.stat(), os.fstat(stream.fileno()))
    except OSError:  # no file stands behind the stream
        return False


def answers(
    reader: LineReader, items: Iterable[T], answer: Callable[[list[T]], list[R]]
) -> Iterator[list[R | None]]:
    """The answers to what stands on the lines of ``reader``, a chunk at a time.

    An item without text ("", or a tuple of nothing else) is not asked: its answer is None.
    Errors about one text name its line.
    """
    lines = iter(items)
    first = 1
    while chunk := list(islice(lines, reader.chunk)):
        asked = [place for place, item in enumerate(chunk) if any(item)]
        try:
            found = dict(zip(asked, answer([chunk[place] for place in asked]), strict=True))
        except InvalidText as error:
            line = first + asked[error.index]
            raise InvalidArgument(f"{reader.name}, line {line}: {error.reason}") from None
        yield [found.get(place) for place in range(len(chunk))]
        first += len(chunk)


def one_line(text: str) -> str:
    r"""The text with its line ends spelled ``\n`` and ``\r``, so that it stays one line."""
    return text.replace("\n", "\\n").replace("\r", "\\r")


class OutputClosed(Exception):  # noqa: N818 - nothing went wrong
    """The reader of the output has closed it."""


def write_lines(stream: BinaryIO, lines: list[str]) -> None:
    """Write and flush a chunk."""
    write_text(stream, "".join(line + "\n" for line in lines))


def write_text(stream: BinaryIO, text: str) -> None:
    """Write and flush a text."""
    name = "standard output" if stream is sys.stdout.buffer else stream.name
    try:
        with _named(name):
            stream.write(text.encode())
            stream.flush()
    except BrokenPipeError:
        raise OutputClosed from None


@contextmanager
def progress(reader: LineReader, output: Path | None) -> Iterator[Callable[[], None]]:
    """A bar on standard error, if that is a terminal; call it when ``reader`` has come on."""
    to_terminal = output is None and sys.stdout.isatty()
    if not sys.stderr.isatty() or to_terminal:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress  # slow to import, and seldom needed

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("bytes read", total=reader.size)
        yield lambda: bar.update(task, completed=reader.bytes)


def write_answers(
    chunks: Iterable[list[str]], readers: Sequence[LineReader], output: Path | None
) -> None:
    """Write each chunk when it is ready, and show how far the reader has come."""
    with writing(output, readers) as stream, progress(readers[0], output) as bar:
        for lines in chunks:
            write_lines(stream, lines)
            bar()


def pairs(sources: LineReader, targets: LineReader | None = None) -> Iterator[tuple[str, str]]:
    """Source and target of each line, from two files or from lines with a tab."""
    if targets is not None:
        for source, target in zip_longest(sources, targets):
            if source is None or target is None:
                end, other = (sources, targets) if source is None else (targets, sources)
                raise InvalidArgument(f"{end.name} has {end.number} lines, {other.name} has more")
            yield source, target
        return
    for line in sources:
        source, tab, target = line.partition("\t")
        if line and not tab:
            raise InvalidArgument(
                f"{sources.name}, line {sources.number}: no tab, expected source, tab and target"
            )
        yield source, target
