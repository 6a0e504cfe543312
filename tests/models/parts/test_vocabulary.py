"""Embeddings and output layers: their bits, and when they share memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from attnengine import _core, packing
from attnengine.models import build
from attnengine.models.matrix import Matrix
from attnengine.models.parts.vocabulary import embedding, logits_layer, vocabulary_layers
from attnengine.models.settings import BuildSettings, logits_precision
from attnengine.models.weights import Weights
from attnengine.packing.file import Reader
from attnengine.reference.unpack import unpack
from tests.packing.test_packing import parts

SIZE = 70


@pytest.fixture(params=packing.LAYOUTS)
def w(request: pytest.FixtureRequest) -> Weights:
    """Empty weights with the build settings of each precision."""
    return Weights({}, BuildSettings(precision=request.param))


@pytest.fixture
def precision(w: Weights) -> str:
    """The precision in which embedding rows are stored."""
    return logits_precision(w.settings)


@pytest.fixture
def weight() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(40, SIZE)).astype(np.float32)


def matrix(array: np.ndarray) -> Matrix:
    return Matrix.of(array.shape, lambda: array)


def rows(table: _core.Embedding) -> np.ndarray:
    """All embedding rows, read from the first part of an encoder's states."""
    cell = _core.ElmanCell(
        input=_core.Linear(np.ones((1, SIZE))), recurrent=_core.Linear(np.ones((1, 1)))
    )
    layers = [_core.RnnLayer(forward=cell)]
    encoder = _core.RnnEncoder(embedding=table, layers=layers, all_states=True)
    states = encoder.hidden_states(np.arange(encoder.vocab_size), [encoder.vocab_size])
    return states[:, :SIZE]


def test_rows_of_its_own(w: Weights, weight: np.ndarray, precision: str) -> None:
    np.testing.assert_array_equal(rows(embedding(w, matrix(weight))), unpack(weight, precision))
    own, output = vocabulary_layers(w, matrix(weight), matrix(2 * weight), scale=3.0)
    np.testing.assert_array_equal(rows(own), unpack(weight, precision))
    np.testing.assert_array_equal(output.packed, logits_layer(w, matrix(6 * weight)).packed)


@pytest.mark.parametrize("scale", [1.0, 0.125, -2.0])
def test_a_power_of_two_leaves_tied_rows_as_they_are(
    w: Weights, weight: np.ndarray, precision: str, scale: float
) -> None:
    tied, output = vocabulary_layers(w, matrix(weight), None, scale=scale)
    np.testing.assert_array_equal(rows(tied), unpack(weight, precision))
    expected = logits_layer(w, matrix(np.float32(scale) * weight))
    np.testing.assert_array_equal(output.packed, expected.packed)


@pytest.mark.parametrize("scale", [512**-0.5, 0.0, 1e30, float("inf"), float("nan")])
def test_another_scale_of_tied_rows(
    w: Weights, weight: np.ndarray, precision: str, scale: float
) -> None:
    tied, _ = vocabulary_layers(w, matrix(weight), None, scale=scale)
    expected = unpack(weight, precision)
    # float32 rows are equal; in other precisions one side may round up and the other down
    error = {"float32": 0.0, "bfloat16": 2.0**-7, "int8": 1 / 127}[precision]
    np.testing.assert_allclose(rows(tied), expected, rtol=0, atol=error * np.abs(weight).max())


@pytest.mark.parametrize("name", ["gpt2", "marian", "bart", "t5"])
def test_tied_layers_share_memory(tmp_path: Path, name: str, w: Weights) -> None:
    config, weights = parts(name)
    packing.write(tmp_path / "packed", lambda: build(config, weights, w.settings), {})
    made = Reader(tmp_path / "packed").header["parts"]
    embeddings = [args for kind, args, _ in made if kind == "Embedding"]
    if (
        name == "t5" and w.settings.precision == "float32"
    ):  # the scale of its logits is no power of two
        assert "array" in embeddings[0][0]
    else:
        assert made[embeddings[0][0]["part"]][0] == "Linear"
    assert len(embeddings) == 1
