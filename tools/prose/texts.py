"""Where prose stands: docstrings, comments, help texts, error messages and pages."""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.prose.sentences import CODE

_HASH = re.compile(r"(?:^|(?<=\s))#(?!!) ?(.*)$")
_DIRECTIVE = re.compile(r"\s*(?:noqa|type:|ruff:|fmt:|pragma|NOLINT|clang-format|vim:)")
_CPP = re.compile(
    r'R"(?P<mark>\w*)\((?P<raw>.*?)\)(?P=mark)"|"(?P<string>(?:[^"\\\n]|\\.)*)"'
    r"|'(?:[^'\\\n]|\\.)'|//(?P<line>[^\n]*)|/\*(?P<block>.*?)\*/",
    re.DOTALL,
)


@dataclass(frozen=True)
class Text:
    """A text with its first line; lines indented by `code_indent` more are code."""

    kind: str
    line: int
    text: str
    code_indent: int = 4


def texts(path: Path) -> Iterator[Text]:
    """All prose of a file, by the end of its name."""
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        yield Text("changelog" if path.stem == "CHANGELOG" else "page", 1, content)
    elif path.suffix in (".py", ".pyi"):
        yield from _python(content)
    elif path.suffix in (".cc", ".h", ".c"):
        yield from _cpp(content)
    else:
        found = [(i, _HASH.search(line)) for i, line in enumerate(content.split("\n"), 1)]
        yield from _comments(
            [_Comment(i, m.start(), m[1], not m.string[: m.start()].strip()) for i, m in found if m]
        )


@dataclass(frozen=True)
class _Comment:
    line: int
    column: int
    text: str
    alone: bool  # in its line

    def follows(self, other: _Comment) -> bool:
        return self.alone and (self.line, self.column) == (other.line + 1, other.column)


def _comments(lines: list[_Comment]) -> Iterator[Text]:
    """Comments in lines of their own below another, together with it."""
    begin = 0
    for at in range(1, len(lines) + 1):
        if at < len(lines) and lines[at].follows(lines[at - 1]):
            continue
        together = [comment.text for comment in lines[begin:at]]
        if together and not _DIRECTIVE.match(together[0]):
            yield Text("comment", lines[begin].line, "\n".join(together), code_indent=2)
        begin = at


def _python(content: str) -> Iterator[Text]:
    tokens = tokenize.generate_tokens(io.StringIO(content).readline)
    comments = [t for t in tokens if t.type == tokenize.COMMENT and not t.string.startswith("#!")]
    yield from _comments(
        [
            _Comment(*t.start, t.string[1:].removeprefix(" "), t.line.lstrip().startswith("#"))
            for t in comments
        ]
    )
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            docstring = ast.get_docstring(node, clean=False)
            if docstring:
                head, _, rest = docstring.partition("\n")
                yield Text("docstring", node.body[0].lineno, f"{head}\n{textwrap.dedent(rest)}")
        elif isinstance(node, ast.keyword) and node.arg == "help":
            yield from _message("help", node.value)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            for argument in node.exc.args:
                yield from _message("error", argument)


def _message(kind: str, node: ast.expr) -> Iterator[Text]:
    """A string, with a word in the place of each value that is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield Text(kind, node.lineno, node.value)
    elif isinstance(node, ast.JoinedStr):
        parts = [p.value if isinstance(p, ast.Constant) else CODE for p in node.values]
        yield Text(kind, node.lineno, "".join(map(str, parts)))


def _cpp(content: str) -> Iterator[Text]:
    comments, strings = [], []
    for match in _CPP.finditer(content):
        line = content.count("\n", 0, match.start()) + 1
        column = match.start() - content.rfind("\n", 0, match.start()) - 1
        if match["line"] is not None:
            alone = not content[match.start() - column : match.start()].strip()
            comments.append(_Comment(line, column, match["line"].removeprefix(" "), alone))
        elif match["block"] is not None:
            yield Text("comment", line, textwrap.dedent(re.sub(r"(?m)^\s*\*", "", match["block"])))
        elif match["raw"] is not None:
            yield Text("docstring", line, match["raw"])
        elif match["string"] is not None:
            strings.append(match)
    yield from _comments(comments)
    yield from _joined(content, strings)


def _joined(content: str, strings: list[re.Match[str]]) -> Iterator[Text]:
    """Messages: literals that the compiler joins, and those around what `+` fills in."""
    parts: list[str] = []
    begin = 0
    for at, match in enumerate(strings):
        begin = begin if parts else match.start()
        parts.append(match["string"])
        last = at + 1 == len(strings)
        between = ";" if last else content[match.end() : strings[at + 1].start()]
        if not between.strip():
            continue
        if re.fullmatch(r"\s*\+[^;{}]*\+\s*", between):
            parts.append(CODE)
            continue
        text = "".join(parts).replace("\\n", "\n").replace('\\"', '"')
        if " " in text:
            yield Text("error", content.count("\n", 0, begin) + 1, text)
        parts = []
