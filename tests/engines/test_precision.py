"""Models in bfloat16, int8 and int4: close to float32, with the same bits in any batch."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import _core, packing
from attnengine.models import build
from attnengine.models.settings import BuildSettings
from attnengine.packing.file import Reader
from attnengine.reference.unpack import unpack
from tests.golden import huggingface as golden
from tests.helpers.bits import check_same_bits
from tests.packing.test_packing import IDS, MODELS, load_quietly, outputs, parts

PRECISIONS = [name for name in packing.LAYOUTS if name != "float32"]
# Relative errors after a few layers. Integer layers round inputs to 1 / 127 of the largest, at
# most 0.06 for a model here; bfloat16 layers round by a relative 2 ** -9, at most 0.018.
ERRORS = {"bfloat16": 0.03, "int8": 0.1, "int4": 0.1}

pytestmark = pytest.mark.parametrize("precision", PRECISIONS)


@pytest.mark.parametrize("name", MODELS)
def test_every_family(tmp_path: Path, name: str, precision: str) -> None:
    """Outputs differ from float32; the cache and a packed file change no bit."""
    config, weights = parts(name)
    settings = BuildSettings(precision=precision)
    model = build(config, weights, settings)
    packing.write(tmp_path / "packed", lambda: build(config, weights, settings), {})
    assert outputs(packing.read(tmp_path / "packed", {}, settings)) == outputs(model)
    assert outputs(model) != outputs(build(config, weights))
    if isinstance(model, _core.Decoder):
        source = IDS if isinstance(model, (_core.Seq2Seq, _core.SpeechSeq2Seq)) else None
        assert golden.cached(model, IDS, source).tobytes() == outputs(model)


@pytest.mark.parametrize("name", MODELS)
def test_only_inputs_are_rounded_on_the_way(
    monkeypatch: pytest.MonkeyPatch, name: str, precision: str
) -> None:
    """Each layer against a float32 layer that has the rounded weights of the precision."""
    config, weights = parts(name)
    make, settings = _core.Linear, BuildSettings(precision=precision)

    def stored(
        weight: Any, bias: Any = None, *, settings: BuildSettings, **shape: int
    ) -> _core.Linear:
        rows = weight(0, shape["out_features"]) if shape else weight
        return make(unpack(np.asarray(rows, np.float32), settings.precision), bias)

    model = build(config, weights, settings)
    monkeypatch.setattr(_core, "Linear", stored)
    wide = build(config, weights, settings)
    expected, found = (np.frombuffer(outputs(m), np.float32) for m in (wide, model))
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    assert error <= ERRORS[precision]


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


def test_a_packed_folder(lm_path: Path, tmp_path: Path, precision: str) -> None:
    ae.convert(lm_path, tmp_path / "packed", packed=True, precision=precision)
    expected = ae.load(lm_path, precision=precision).logits(IDS)
    np.testing.assert_array_equal(
        load_quietly(tmp_path / "packed", precision=precision).logits(IDS), expected
    )
    for load in (ae.load, ae.load_language_model):
        message = f"packed again: precision is '{precision}', expected 'fl"
        with pytest.warns(UserWarning, match=message) as warned:
            model = load(tmp_path / "packed")
        assert warned[0].filename == __file__  # the line that called
        np.testing.assert_array_equal(model.logits(IDS), ae.load(lm_path).logits(IDS))


def test_a_packed_file_is_smaller(tmp_path: Path, precision: str) -> None:
    weight = np.ones((512, 512), np.float32)
    sizes = {
        name: _core.Linear(weight, settings=BuildSettings(precision=name)).packed.size
        for name in packing.LAYOUTS
    }
    assert sizes["float32"] == weight.nbytes
    assert (
        sizes[precision] <= {"bfloat16": 0.5, "int8": 0.27, "int4": 0.16}[precision] * weight.nbytes
    )


def test_weights_that_are_not_finite(precision: str) -> None:
    config, weights = parts("rnn_lm")
    weights = {**weights, "output.weight": np.full_like(weights["output.weight"], np.nan)}
    model = build(config, weights, BuildSettings(precision=precision))
    assert np.isnan(np.frombuffer(outputs(model), np.float32)).all()


@pytest.mark.parametrize("name", MODELS)
def test_logits_have_at_least_8_bits(tmp_path: Path, name: str, precision: str) -> None:
    """Output layers have 8 bits or more; other layers have the given precision or float32."""
    config, weights = parts(name)
    settings = BuildSettings(precision=precision)
    packing.write(tmp_path / "packed", lambda: build(config, weights, settings), {})
    layers = Reader(tmp_path / "packed").header["parts"]  # class, arguments and keyword arguments
    outputs = {
        (named.get("output") or given[1])["part"]
        for kind, given, named in layers
        if kind in ("RnnDecoder", "TransformerDecoder", "WindowDecoder")
    }
    assert len(outputs) == isinstance(build(config, weights), _core.Decoder)
    # Embeddings of tokens: an encoder may have another one than the decoder.
    outputs |= {
        given[0]["part"] for kind, given, _ in layers if kind == "Embedding" and "part" in given[0]
    }
    for place, (kind, _, named) in enumerate(layers):
        if kind == "Linear" and place in outputs:
            assert named["precision"] == ("int8" if precision == "int4" else precision)
        elif kind == "Linear":
            assert named["precision"] in (precision, "float32")
