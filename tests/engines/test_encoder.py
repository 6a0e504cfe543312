"""The Encoder engine: its vectors, the tokens that it adds and the length limit of a text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import loaders
from attnengine.errors import FormatError, InvalidArgument
from attnengine.reference.rnn_encoder import RnnEncoder

WriteModel = Callable[..., Path]


def load(write_model: WriteModel, **changes: Any) -> ae.Encoder:
    changes = {"bos_token_id": 0, "eos_token_id": 1, "add_bos": True, "add_eos": True, **changes}
    model = ae.load(write_model("rnn_encoder", **changes), num_threads=1)
    assert isinstance(model, ae.Encoder)
    return model


def test_states_and_their_mean(write_model: WriteModel) -> None:
    path = write_model("rnn_encoder")
    model = ae.load(path)
    assert isinstance(model, ae.Encoder)
    weights = {name: tensor.read() for name, tensor in loaders.load(path).tensors.items()}
    states = RnnEncoder(model.config, weights).hidden_states([2, 3, 4])
    np.testing.assert_allclose(model.hidden_states([2, 3, 4]), states, rtol=1e-4, atol=1e-5)
    alone = model.encode("a b c")
    np.testing.assert_allclose(alone, states.mean(axis=0), rtol=1e-4, atol=1e-5)
    texts = ["d", "a b c", "h h h h h"]
    for max_batch_size in (1, 32):
        together = model.encode(texts, max_batch_size=max_batch_size)
        assert together.shape == (3, 10)
        np.testing.assert_array_equal(together[1], alone)
    assert model.encode([]).shape == (0, 10)
    with pytest.raises(ae.InvalidArgument, match="text 1: the text has no tokens"):
        model.encode(["a", ""])
    with pytest.raises(
        ae.InvalidArgument, match="pooling is 'sum', expected one of mean, max, last"
    ):
        model.encode("a", pooling="sum")


def test_what_is_put_around_a_text(write_model: WriteModel) -> None:
    model = load(write_model)
    exact = model.encode([0, 2, 3, 1])  # ids are encoded unchanged
    np.testing.assert_array_equal(model.encode("a b"), exact)
    np.testing.assert_array_equal(model.encode([["a", "b"]])[0], exact)
    np.testing.assert_array_equal(model.encode(""), model.encode([0, 1]))
    without = load(write_model, add_bos=False, add_eos=False)
    np.testing.assert_array_equal(without.encode("a b"), model.encode([2, 3]))


def test_the_first_elements_of_a_vector(write_model: WriteModel) -> None:
    model = load(write_model, normalize=True)
    whole = model.encode(["a b", "c"])
    np.testing.assert_array_equal(model.encode(["a b", "c"], truncate_dim=4), whole[:, :4])
    anew = model.encode("a b", truncate_dim=4, normalize=True)
    np.testing.assert_allclose(anew, whole[0, :4] / np.linalg.norm(whole[0, :4]), rtol=1e-6)
    for size in (0, 11, 2.0, True):
        with pytest.raises(InvalidArgument, match=f"truncate_dim is {size}, expected an integer "):
            model.encode("a", truncate_dim=size)
    with pytest.raises(
        InvalidArgument, match="unknown option 'truncate_dims', did you mean 'trunc"
    ):
        model.encode("a", truncate_dims=4)


@pytest.mark.parametrize("how", ["cosine", "dot", "euclidean", "manhattan"])
def test_similarity(write_model: WriteModel, how: str) -> None:
    model, rng = load(write_model, similarity=how), np.random.default_rng(0)
    first, second = rng.normal(size=(3, 10)), rng.normal(size=(5, 10))
    expected = {
        "cosine": first
        @ second.T
        / np.outer(np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)),
        "dot": first @ second.T,
        "euclidean": -np.linalg.norm(first[:, None] - second, axis=2),
        "manhattan": -np.abs(first[:, None] - second).sum(axis=2),
    }[how]
    found = model.similarity(first, second)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    for row in range(3):  # the same bits alone
        np.testing.assert_array_equal(model.similarity(first[row], second)[0], found[row])
    assert model.similarity(first[:0], second).shape == (0, 5)
    assert model.similarity(first, second[:0]).shape == (3, 0)
    with pytest.raises(InvalidArgument, match=r"shapes \(3, 10\) and \(5, 9\), expected \(rows, "):
        model.similarity(first, second[:, :9])


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
