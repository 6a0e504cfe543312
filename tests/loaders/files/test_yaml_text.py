from __future__ import annotations

import sys

import pytest

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.files import yaml_text


def test_yaml_guesses_nothing() -> None:
    text = "a: yes\nb: [1, null, 2021-01-01]\nc: {d: 0x10, e: }\n"
    expected = {"a": "yes", "b": ["1", "null", "2021-01-01"], "c": {"d": "0x10", "e": ""}}
    assert yaml_text.parse(text, "f") == expected
    assert yaml_text.parse("a: &x {c: 1}\nb: *x\nd: &y z\n? *y\n: 2", "f") == {
        "a": {"c": "1"},
        "b": {"c": "1"},
        "d": "z",
        "z": "2",
    }


@pytest.mark.parametrize(
    "text",
    [
        "<<: {}",
        "a: *x",
        "a: 1\na: 2",
        "? [a]\n: b",
        "a: [",
        "",
        "--- 1\n--- 2",
        "[" * 60 + "]" * 60,
    ],
)
def test_yaml_that_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="f is not the YAML that attnengine reads"):
        yaml_text.parse(text, "f")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(Unsupported, match=r"f needs PyYAML.*attnengine\[yaml\]"):
        yaml_text.parse("a: 1", "f")
