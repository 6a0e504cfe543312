"""The normalisation of sequences of characters: a small map, damaged maps."""

from __future__ import annotations

import base64
import contextlib
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnengine.errors import FormatError
from attnengine.tokenizers.charsmap import Charsmap
from attnengine.tokenizers.huggingface import HuggingFaceTokenizer

ENTRIES = {
    "e\u0301": "é",
    "\uff76\uff9e": "ガ",
    "\uff76": "カ",
    "\uff1e": ">",
    "\uff41": "a",
    "\u1112\u1161": "하",
    "\u1112\u1161\u11ab": "한",
}


def charsmap(entries: dict[str, str]) -> bytes:
    """A map as sentencepiece stores it: a double array (darts-clone) and its results."""
    results, values = b"", {}
    for key, result in entries.items():
        values[key.encode()] = len(results)
        results += result.encode() + b"\0"
    units = {0: 0}
    place(units, 0, values)
    array = [units.get(i, 0) for i in range(max(units) + 1)]
    return struct.pack("<I", 4 * len(array)) + struct.pack(f"<{len(array)}I", *array) + results


def place(units: dict[int, int], node: int, values: dict[bytes, int]) -> None:
    """Give a node its children: the index of one is that of the node ^ offset ^ its label."""
    labels = {key[0] if key else 0 for key in values}
    offset = 1
    while any(node ^ offset ^ label in units for label in labels):
        offset += 1
    units[node] |= offset << 10
    for label in labels:
        units[node ^ offset ^ label] = label
    for label in labels - {0}:
        below = {key[1:]: value for key, value in values.items() if key[:1] == bytes([label])}
        place(units, node ^ offset ^ label, below)
    if b"" in values:
        units[node] |= 1 << 8
        units[node ^ offset] = 1 << 31 | values[b""]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("cafe\u0301 e", "café e"),
        ("\uff76\uff9e \uff76", "ガ \uff76"),  # a single character is left to the library
        ("\u1112\u1161\u11ab\u1112\u1161 \u1112", "한하 \u1112"),  # the longest match
        ("</s\uff1e", "</s\uff1e"),  # no special token arises
        ("\uff41\u0302", "a\u0302"),  # the library would drop the mark
        ("\uff1e\u0302", "\uff1e\u0302"),
        ("x\U0001f600y", "x\U0001f600y"),
    ],
)
def test_matches_of_several_characters(text: str, expected: str) -> None:
    settings = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap(ENTRIES))}
    for normalizer in (settings, {"type": "Sequence", "normalizers": [{"type": "NFC"}, settings]}):
        found = Charsmap.of(normalizer)
        assert found is not None
        assert found.replace(text) == expected


def test_without_a_map() -> None:
    assert Charsmap.of(None) is None
    assert Charsmap.of({"type": "Sequence", "normalizers": [{"type": "NFC"}]}) is None


@pytest.mark.parametrize("data", [b"", b"\1", b"\3\0\0\0abc", b"\x08\0\0\0abcd"])
def test_a_map_that_is_cut(data: bytes) -> None:
    with pytest.raises(FormatError, match=f"a character map has {len(data)} bytes"):
        Charsmap(data)


def test_a_file_with_a_map_that_is_cut() -> None:
    """The library would take the gigabytes that the map promises, and end the process."""
    settings = {"type": "Precompiled"}
    settings["precompiled_charsmap"] = base64.b64encode(b"\xfc\xff\xff\x7fabcd").decode()
    with pytest.raises(FormatError, match="a character map has 8 bytes, expected more than 21474"):
        HuggingFaceTokenizer("", json.dumps({"normalizer": settings}).encode(), 5)


@given(st.binary(max_size=300), st.text(max_size=20))
def test_a_damaged_map_does_no_harm(units: bytes, text: str) -> None:
    units = units[: len(units) // 4 * 4]
    with contextlib.suppress(UnicodeDecodeError):  # InvalidArgument of the engine
        Charsmap(struct.pack("<I", len(units)) + units + b"ab\0").replace(text + "e\u0301")
