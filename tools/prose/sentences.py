"""What a sentence is: paragraphs of a text, sentences of a paragraph, words of a sentence.

Tables, headings, code, formulas and shapes are no sentences. An item of a list is a paragraph of
its own. Code between backquotes counts as one word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

CODE = "ƒ"  # stands for code and for what a program fills in
SHORTEST = 4  # words: fewer are a label

_ITEM = re.compile(r"\s*(?:[-*+]|\d+\.) +")
_SKIPPED = re.compile(r"\s*(?:\||>>>|<|!\[|[-=~]{3,}\s*$|:\w+:)")
_HEADING = re.compile(r"#{1,6} ")
_COLUMNS = re.compile(r"\S {2,}\S")
_SHAPES = re.compile(r"\s*(?:\w+ \([\w, ]*\)(?:, | and |[.:;]?$))+")
_CODE = re.compile(r"``[^`]+``|`[^`]+`|<\S[^>]*>")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
_ABBREVIATIONS = re.compile(r"(?:^|[\s(])(?:e\.g|i\.e|cf|vs|etc|approx|[A-Z])\.$")
_END = re.compile(r"[.!?][\"')\]]*(?=\s|$)")
_OPERATOR = re.compile(r"(?:^|\s)(?:=|\+|\*|/|@|<|>|<=|>=|->|\^)(?:\s|$)")
_PLAIN = re.compile(rf"[\"'(\[]*(?:[A-Za-z][A-Za-z'-]+|[aAI]|{CODE})[\"')\]]*[.,;:!?]*$")


@dataclass(frozen=True)
class Sentence:
    """The line on which it begins, and its words without mark-up."""

    line: int
    text: str

    @property
    def words(self) -> int:
        """How many it has."""
        return len(words(self.text))


def words(text: str) -> list[str]:
    """What has a letter or a digit, between spaces."""
    return [word for word in text.split() if any(c.isalnum() for c in word)]


def sentences(line: int, text: str, code_indent: int = 4) -> Iterator[Sentence]:
    """The sentences of a text that begins on a line; deeper lines than `code_indent` are code."""
    for first, paragraph in _paragraphs(line, text, code_indent):
        plain = _without_markup(paragraph)
        begin = 0
        for end in [*_ends(plain), len(plain)]:
            found = plain[begin:end]
            if _is_sentence(found):
                skipped = begin + len(found) - len(found.lstrip())
                yield Sentence(first + plain.count("\n", 0, skipped), " ".join(found.split()))
            begin = end


def _paragraphs(line: int, text: str, code_indent: int) -> Iterator[tuple[int, str]]:
    """Each with its first line; what is no prose lies between them."""
    lines: list[str] = []
    fenced, in_list = False, False
    for number, raw in enumerate([*text.split("\n"), ""], line):
        fence = raw.lstrip().startswith("```")
        fenced ^= fence
        indent = len(raw) - len(raw.lstrip())
        item = _ITEM.match(raw)
        literal = not lines and not in_list and indent >= code_indent
        apart = fence or fenced or literal or not raw.strip() or _no_prose(raw)
        if lines and (apart or item):
            yield number - len(lines), "\n".join(lines)
            lines = []
        if item and not literal:
            in_list = True
        elif raw.strip() and indent == 0:
            in_list = False
        if not apart:
            lines.append(raw[item.end() :] if item else raw)


def _no_prose(line: str) -> bool:
    if _SKIPPED.match(line) or _HEADING.match(line) or _SHAPES.fullmatch(line):
        return True
    item = _ITEM.match(line)
    body = line[item.end() :] if item else line.strip()
    return bool(_COLUMNS.search(body)) or _is_formula(_without_markup(body))


def _without_markup(text: str) -> str:
    """Return a text with code as a word and links as their text; lines keep their numbers."""
    text = _CODE.sub(lambda match: CODE + "\n" * match[0].count("\n"), text)
    return _LINK.sub(r"\1", text).replace("**", "")


def _ends(plain: str) -> Iterator[int]:
    for match in _END.finditer(plain):
        before, behind = plain[: match.start() + 1], plain[match.end() :].lstrip()
        dots = before.endswith("...") and behind[:1].islower()
        if not dots and not _ABBREVIATIONS.search(before):
            yield match.end()


def _is_formula(text: str) -> bool:
    """Whether it has an operator and hardly a plain word."""
    parts = text.split()
    plain = sum(bool(_PLAIN.match(part)) for part in parts)
    return bool(_OPERATOR.search(text)) and 2 * plain < len(parts)


def _is_sentence(text: str) -> bool:
    return len(words(text)) >= SHORTEST and not _is_formula(text)
