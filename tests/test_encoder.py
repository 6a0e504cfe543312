"""What the engine of encoders puts around a text, and how long a text may be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine.errors import FormatError, InvalidArgument

WriteModel = Callable[..., Path]


def load(write_model: WriteModel, **changes: Any) -> ae.Encoder:
    changes = {"bos_token_id": 0, "eos_token_id": 1, "add_bos": True, "add_eos": True, **changes}
    model = ae.load(write_model("rnn_encoder", **changes), num_threads=1)
    assert isinstance(model, ae.Encoder)
    return model


def test_what_is_put_around_a_text(write_model: WriteModel) -> None:
    model = load(write_model)
    exact = model.encode([0, 2, 3, 1])  # ids are taken as they are
    np.testing.assert_array_equal(model.encode("a b"), exact)
    np.testing.assert_array_equal(model.encode([["a", "b"]])[0], exact)
    np.testing.assert_array_equal(model.encode(""), model.encode([0, 1]))
    without = load(write_model, add_bos=False, add_eos=False)
    np.testing.assert_array_equal(without.encode("a b"), model.encode([2, 3]))


def test_texts_that_are_too_long(write_model: WriteModel) -> None:
    model = load(write_model, max_sequence_length=4)
    expected = "text 1: the text has 5 tokens, .* expected at most 4: truncate=True"
    with pytest.raises(InvalidArgument, match=expected):
        model.encode(["a b", "a b c"])
    short, long = model.encode(["a b", "a b c"], truncate=True)
    np.testing.assert_array_equal(short, long)
    np.testing.assert_array_equal(
        model.encode([2, 3, 4, 5, 6], truncate=True), model.encode([2, 3, 4, 5])
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_sequence_length": 0}, "max_sequence_length is 0, expected an integer"),
        ({"eos_token_id": None}, "eos_token_id is None, expected an id, because add_eos is true"),
    ],
)
def test_configs_that_do_not_fit(
    write_model: WriteModel, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises((FormatError, InvalidArgument), match=message):
        load(write_model, **changes)
