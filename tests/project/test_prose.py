"""Counting sentences and words: in small texts, and in the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.prose.__main__ import MEDIAN, Found, find, median, table, tracked
from tools.prose.sentences import Sentence, sentences
from tools.prose.texts import texts

ROOT = Path(__file__).parents[2]


def found(text: str) -> list[tuple[int, int]]:
    """Line and number of words of each sentence."""
    return [(s.line, s.words) for s in sentences(1, text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One two three four. Five six\nseven eight nine.", [(1, 4), (1, 5)]),
        ("One two three four.\nFive six seven eight nine", [(1, 4), (2, 5)]),
        ("It took 1.5 ms, i.e. less than `a, b + c` takes.", [(1, 9)]),
        ("Read [the long page](docs/page.md#part) before the rest!", [(1, 7)]),
        ("Give FOLDER... one name each. (A second sentence stands here.)", [(1, 5), (1, 5)]),
        ("too short", []),
        ("Before the table:\n| a | b | c | d | e |\nafter the table comes more", [(3, 5)]),
        ("# A heading of five words here\n\nA text of five words.", [(3, 5)]),
        ("- an item of five words\n  and a second line\n- the next item here", [(1, 9), (3, 4)]),
        ("```\nthis code is no prose at all\n```\nthis text is prose again", [(4, 5)]),
        ("See the next line:\n\n    this code is no prose\n\nand go on here", [(1, 4), (5, 4)]),
        ("the sum of all products\ny[i] = a[i] * b[i] + c\nis taken in one pass", [(1, 5), (3, 5)]),
        ("beam    hypotheses that attend to it\nsrc     source positions of a sentence", []),
    ],
)  # fmt: skip
def test_sentences(text: str, expected: list[tuple[int, int]]) -> None:
    assert found(text) == expected


PYTHON = '''\
"""A module says what it is for.

Its second paragraph goes on."""

# A comment of two lines
# is one sentence in all.
X = 1  # a comment behind code is another


def f(x: int) -> None:
    """Do what the name says at once."""
    if x:
        raise ValueError(f"x is {x}, expected a number above {X}")


app.option(help="The number of tokens in a text.")  # noqa: F821
'''
CPP = """\
// A comment of two lines
// is one sentence in all.
int x;  // the number of rows in it
int y;  // and what is below it

/* A block in the
 * old way of C. */
const char* url = "no";
m.def("f", &f, R"(Returns the sum of two rows.

a (rows, cols), b (rows, cols)
)");
throw Error("x is " + std::to_string(x) + ", expected at least "
            "one of these");
"""
SHELL = """\
#!/usr/bin/env bash
# Builds the module for one machine.
run  # what is left to do here
"""


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "a.py",
            PYTHON,
            {
                ("docstring", 1, 7),
                ("docstring", 3, 5),
                ("comment", 5, 10),
                ("comment", 7, 6),
                ("docstring", 11, 7),
                ("error", 13, 8),
                ("help", 16, 7),
            },
        ),
        (
            "a.cc",
            CPP,
            {
                ("comment", 1, 10),
                ("comment", 3, 6),
                ("comment", 4, 5),
                ("comment", 6, 8),
                ("docstring", 9, 6),
                ("error", 13, 9),
            },
        ),
        ("a.sh", SHELL, {("comment", 2, 6), ("comment", 3, 6)}),
        ("a.md", "One two three four.\n", {("page", 1, 4)}),
        ("CHANGELOG.md", "- One two three four.\n", {("changelog", 1, 4)}),
    ],
)
def test_texts(
    tmp_path: Path, name: str, content: str, expected: set[tuple[str, int, int]]
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert {(f.kind, f.sentence.line, f.sentence.words) for f in find([path])} == expected
    assert {text.kind for text in texts(path)} >= {kind for kind, _, _ in expected}


def test_complaints_and_counts() -> None:
    long = Found(Path("docs/a.md"), "page", Sentence(3, " ".join(["word"] * 41)))
    odd = Found(Path("csrc/core/a.h"), "comment", Sentence(7, "Of those whose rows are so many."))
    good = Found(Path("docs/a.md"), "page", Sentence(9, "The first fork copies the page."))
    assert long.complaints == ["41 words"]
    assert odd.complaints == ['"Of"', '"so many"', '"whose"']
    assert good.complaints == []
    assert str(odd).startswith('csrc/core/a.h:7: "Of", "so many", "whose": Of those')
    assert median([long, odd, good]) == 7
    assert table([long, odd, good], lambda one: one.kind)[2:] == [
        "| comment | 1 | 7 | 0 | 0 | 1 | 1 | 0 | 1 | 0 |",
        "| page | 2 | 23.5 | 1 | 1 | 0 | 0 | 0 | 0 | 0 |",
        "| all | 3 | 7 | 1 | 1 | 1 | 1 | 0 | 1 | 0 |",
    ]


def test_the_prose_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sentence is too long or has a wording to avoid: `python -m tools.prose` lists them."""
    monkeypatch.chdir(ROOT)
    if not (ROOT / ".git").exists():
        pytest.skip("git knows which files belong to the project")
    found = find(tracked(["."]))
    assert [str(one) for one in found if one.complaints] == []
    assert median(found) < MEDIAN
