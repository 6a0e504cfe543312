"""Models in other precisions than float32: close to it, with the same bits in any batch."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import _core, packing
from attnengine.models import build
from attnengine.models.matrix import Matrix
from attnengine.models.vocabulary import logits_layer
from tests.bits import check_same_bits
from tests.golden import huggingface as golden
from tests.packing.test_packing import IDS, MODELS, load_quietly, outputs, parts

PRECISIONS = [name for name in packing.LAYOUTS if name != "float32"]
# relative, after a few layers of a dozen inputs with steps of 1 / 127 of the largest on both sides
ERRORS = {"bfloat16": 0.05, "int8": 0.2, "int4": 1.0}

pytestmark = pytest.mark.parametrize("precision", PRECISIONS)


@contextmanager
def packed_in(precision: str) -> Iterator[None]:
    _core.set_packing(precision=precision)
    try:
        yield
    finally:
        _core.set_packing()


@pytest.mark.parametrize("name", MODELS)
def test_every_family(tmp_path: Path, name: str, precision: str) -> None:
    """Close to float32, though not equal; the cache and a packed file change no bit."""
    config, weights = parts(name)
    exact = build(config, weights)
    with packed_in(precision):
        model = build(config, weights)
        packing.write(tmp_path / "packed", lambda: build(config, weights), {})
    assert outputs(packing.read(tmp_path / "packed", {})) == outputs(model)

    expected, found = (np.frombuffer(outputs(m), np.float32) for m in (exact, model))
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    assert 0 < error < ERRORS[precision]
    if isinstance(model, _core.Decoder):
        source = IDS if isinstance(model, (_core.Seq2Seq, _core.SpeechSeq2Seq)) else None
        assert golden.cached(model, IDS, source).tobytes() == outputs(model)


@pytest.mark.parametrize("architecture", ["rnn_seq2seq", "transformer"])
def test_same_bits_in_any_batch(write_model: Any, architecture: str, precision: str) -> None:
    texts = ["abc", "h", "hgfedcba", "aabb", "bead", "cafe", "fade", "gag", "dad", "ebb"]
    path = write_model(architecture)
    check_same_bits(path, texts, precision=precision, beam_size=3, max_new_tokens=8)


def test_an_encoder_has_the_same_bits_in_any_batch(write_model: Any, precision: str) -> None:
    path, texts = write_model("rnn_encoder"), [[2, 3], [4], [5, 6, 7, 8, 9], [2, 2], [9, 1]]
    model = ae.load(path, precision=precision, num_threads=1)
    alone = [model.encode(text).tobytes() for text in texts]
    for size in (2, 64):
        for threads in (1, 2):
            model.num_threads = threads
            vectors = model.encode(texts[::-1], max_batch_size=size)[::-1]
            assert [vector.tobytes() for vector in vectors] == alone


def test_an_engine_knows_its_precision(lm_path: Path, lm: ae.LanguageModel, precision: str) -> None:
    model = ae.load(lm_path, precision=precision)
    assert (model.precision, lm.precision) == (precision, "float32")
    assert f"precision={precision}" in repr(model)
    copy = pickle.loads(pickle.dumps(model))
    assert copy.precision == precision
    assert copy.score("abc") == model.score("abc") != lm.score("abc")


def test_loading_leaves_no_precision_behind(lm_path: Path, precision: str) -> None:
    ae.load(lm_path, precision=precision)
    assert _core.Linear(np.ones((2, 3))).precision == "float32"
    assert _core.Linear(np.ones((2, 3)), precision=precision).precision == precision


def test_a_packed_folder(lm_path: Path, tmp_path: Path, precision: str) -> None:
    ae.convert(lm_path, tmp_path / "packed", packed=True, precision=precision)
    expected = ae.load(lm_path, precision=precision).logits(IDS)
    np.testing.assert_array_equal(
        load_quietly(tmp_path / "packed", precision=precision).logits(IDS), expected
    )
    with pytest.warns(UserWarning, match=f"is not used: precision is '{precision}', expected 'fl"):
        model = ae.load(tmp_path / "packed")
    np.testing.assert_array_equal(model.logits(IDS), ae.load(lm_path).logits(IDS))


def test_a_packed_file_is_smaller(tmp_path: Path, precision: str) -> None:
    weight = np.ones((512, 512), np.float32)
    sizes = {name: _core.Linear(weight, precision=name).packed.size for name in packing.LAYOUTS}
    assert sizes["float32"] == weight.nbytes
    assert (
        sizes[precision] <= {"bfloat16": 0.5, "int8": 0.27, "int4": 0.16}[precision] * weight.nbytes
    )


def test_weights_that_are_not_finite(precision: str) -> None:
    config, weights = parts("rnn_lm")
    weights = {**weights, "output.weight": np.full_like(weights["output.weight"], np.nan)}
    with packed_in(precision):
        assert np.isnan(np.frombuffer(outputs(build(config, weights)), np.float32)).all()


def test_logits_have_at_least_8_bits(precision: str) -> None:
    """Whatever the sizes: other layers of as many outputs have the precision that was asked for."""
    logits = Matrix.of((64, 32), lambda: np.ones((64, 32), np.float32))
    with packed_in(precision):
        layers = _core.Linear(np.ones((2**15, 32))), logits_layer(logits)
    expected = [precision, "int8" if precision == "int4" else precision]
    assert [layer.precision for layer in layers] == expected
