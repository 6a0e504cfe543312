"""Arguments of models: wrong types and values are errors, never rounded, wrapped or a crash."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attnengine import _core
from attnengine.errors import InvalidArgument
from tests.models.checks import SOURCES, model, start
from tests.models.configs import RNN_ENCODER, RNN_LM, RNN_SEQ2SEQ

NOT_INTEGERS = [
    (np.array([1.0]), "dtype is float64, expected integers"),
    ([True], "dtype is bool, expected integers"),
    (["1"], "dtype is <U1, expected integers"),
    ([2**70], "dtype is object, expected integers"),
    ([[1]], "ndim is 2, expected 1"),
    (None, "ndim is 0, expected 1"),
]
OUT_OF_RANGE = (np.array([2**32 + 1]), r"\[0\] is 4294967297, expected -2147483648 to 2147483647")


@pytest.mark.parametrize(("value", "message"), [*NOT_INTEGERS, OUT_OF_RANGE])
def test_ids_are_integers_that_fit(value: Any, message: str) -> None:
    decoder = model(RNN_LM)
    state, sequences = start(decoder, 1)
    with pytest.raises(InvalidArgument, match=f"tokens.?{message}"):
        decoder.step(value, sequences, state)
    with pytest.raises(InvalidArgument, match=f"sequences.?{message}"):
        decoder.step([1], value, state)
    for verb in (state.fork, state.drop, lambda ids: state.reorder(ids, [0])):
        with pytest.raises(InvalidArgument, match=f"sequences.?{message}"):
            verb(value)
    with pytest.raises(InvalidArgument, match=f"parents.?{message}"):
        state.reorder(sequences, value)
    assert state.length(int(sequences[0])) == 0


@pytest.mark.parametrize(("value", "message"), NOT_INTEGERS)
def test_lengths_are_integers(value: Any, message: str) -> None:
    encoder, seq2seq = model(RNN_ENCODER), model(RNN_SEQ2SEQ)
    for call in (encoder.hidden_states, lambda *ids: encoder.encode(*ids, "mean"), seq2seq.encode):
        with pytest.raises(InvalidArgument, match=f"lengths.?{message}"):
            call([1], value)
        with pytest.raises(InvalidArgument, match=f"tokens.?{message}"):
            call(value, [1])
    one = np.ones((1, 1, 1), np.float32)
    with pytest.raises(InvalidArgument, match="dtype is float64"):
        _core.KeyValuePages(one, one).attend(one, [1.5])


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int64, np.uint64])
def test_integers_of_any_type_will_do(dtype: Any) -> None:
    decoder = model(RNN_LM)
    state, sequences = start(decoder, 1)
    expected = decoder.step([1, 2], np.repeat(sequences, 2), state)
    state, sequences = start(decoder, 1)
    tokens = np.array([1, 9, 2, 9], dtype)[::2]
    np.testing.assert_array_equal(
        decoder.step(tokens, np.repeat(sequences, 2).astype(dtype), state), expected
    )


def test_want_is_a_mask() -> None:
    decoder = model(RNN_LM)
    state, sequences = start(decoder, 1)
    with pytest.raises(InvalidArgument, match="int64, expected booleans"):
        decoder.step([1], sequences, state, [0])
    with pytest.raises(InvalidArgument, match=r"want.shape\[0\] is 2, expected 1"):
        decoder.step([1], sequences, state, [True, True])


@pytest.mark.parametrize("weight", [np.ones((2, 2)) * 1j, np.array([["1", "2"]])])
def test_weights_are_real_numbers(weight: Any) -> None:
    with pytest.raises(InvalidArgument, match="expected real numbers"):
        _core.Linear(weight)


def test_no_sentences_give_no_states() -> None:
    encoder = model(RNN_ENCODER)
    assert encoder.hidden_states([], []).shape == (0, 10)
    assert encoder.encode([], [], "mean").shape == (0, 10)
    assert len(model(RNN_SEQ2SEQ).encode([], [])) == 0
    with pytest.raises(IndexError):
        model(RNN_SEQ2SEQ).encode(SOURCES[1], [1]).hidden_states(1)
