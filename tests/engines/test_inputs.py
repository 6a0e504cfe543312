from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from attnengine.engines.inputs import InvalidText, read
from attnengine.errors import InvalidArgument
from attnengine.loaders.checkpoint import Vocabulary
from attnengine.tokenizers import VocabularyTokenizer

TOKENIZER = VocabularyTokenizer("", "characters", Vocabulary(tuple("abcd")), 4)


@pytest.mark.parametrize(
    ("value", "ids", "single", "exact"),
    [
        ("ab", [[0, 1]], True, False),
        ("", [[]], True, False),
        (["ab", "c"], [[0, 1], [2]], False, False),
        (["a"], [[0]], False, False),
        ([], [], False, False),
        (("ab", ""), [[0, 1], []], False, False),
        ([1, 2], [[1, 2]], True, True),
        ([np.int32(1), 2], [[1, 2]], True, True),
        (np.array([1, 2], np.uint8), [[1, 2]], True, True),
        (np.array([], np.int64), [[]], True, True),
        (np.array([[1, 2], [3, 0]]), [[1, 2], [3, 0]], False, True),
        ([[1, 2], [], [3]], [[1, 2], [], [3]], False, True),
        ([np.array([1]), [2]], [[1], [2]], False, True),
        ([["a", "b"], [], ["c"]], [[0, 1], [], [2]], False, False),
        ([[]], [[]], False, True),
    ],
)
def test_one_or_many(value: Any, ids: list[list[int]], single: bool, exact: bool) -> None:
    inputs = read(value, TOKENIZER, "source")
    assert (inputs.ids, inputs.single, inputs.exact) == (ids, single, exact)
    assert all(type(i) is int for one in inputs.ids for i in one)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "source is None"),
        (b"ab", "source is b'ab'"),
        (3, "source is 3"),
        (1.5, "source is 1.5"),
        (["a", 1], r"source\[1\] is 1 \(int\), expected a text like source\[0\]"),
        (["a"] * 500 + [None, "b"], r"source\[500\] is None \(NoneType\), expected a text"),
        (["a", float("nan")], r"source\[1\] is nan \(float\), expected a text"),
        (["a", ["b"]], r"source\[1\] is \['b'\] \(list\), expected a text"),
        ([1, "a"], r"source\[1\] is 'a' \(str\), expected an id like source\[0\]"),
        ([1, 2, 2.5], r"source\[2\] is 2.5 \(float\), expected an id"),
        ([[1], "a"], r"source\[1\] is 'a' \(str\) in a mixed list"),
        ([[1], ["a"]], r"source\[1\] holds 'a'"),
        ([["a", 1]], r"source\[0\] holds 1"),
        ([True, False], r"source\[0\] is True"),
        ([[True]], r"source\[0\] holds True"),
        ([1.0, 2.0], r"source\[0\] is 1.0"),
        ([None], r"source\[0\] is None"),
        (np.array([1.0]), r"source is an array of shape \(1,\) and type float64"),
        (np.array([True]), "type bool"),
        (np.zeros((1, 1, 1), int), r"shape \(1, 1, 1\)"),
        (iter(["a"]), "source is list_iterator|source is <list_iterator"),
    ],
)
def test_anything_else_is_named(value: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        read(value, TOKENIZER, "source")


@pytest.mark.parametrize("bad", [4, -1, 10**30])
def test_ids_out_of_range(bad: int) -> None:
    with pytest.raises(InvalidArgument, match=f"^id {bad} at position 1, expected 0 to 3"):
        read([0, bad], TOKENIZER, "source")


def test_one_text_of_several_is_named() -> None:
    with pytest.raises(InvalidText, match=r"^text 1: token 'x' at position 1") as caught:
        read(["ab", "ax"], TOKENIZER, "source")
    assert caught.value.index == 1
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    with pytest.raises(InvalidArgument, match=r"^token 'x' at position 1"):
        read("ax", TOKENIZER, "source")
