"""Caches of keys and values in float16 and int8: families, packed files, engines, commands."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import _core, packing
from attnengine.models import build
from attnengine.models.settings import BuildSettings
from tests.golden import huggingface as golden
from tests.helpers.bits import check_same_bits
from tests.helpers.cli_runs import Run, refused
from tests.packing.test_packing import IDS, MODELS, load_quietly, outputs, parts

KEEPS_NONE = "cache_precision is 'int8', expected 'float32': the model caches no keys and values"
ERRORS = {
    "float16": 2e-3,  # mean relative error of float16: 2 ** -12
    "int8": 0.03,  # a head's largest number is 127 steps; the mean error is 1/4 step
}

precisions = pytest.mark.parametrize("cache_precision", ERRORS)


@precisions
@pytest.mark.parametrize("name", MODELS)
def test_every_family(tmp_path: Path, name: str, cache_precision: str) -> None:
    """Outputs are close to float32; prompts, single tokens and packed files give equal bits."""
    config, weights = parts(name)
    settings = BuildSettings(cache_precision=cache_precision)
    model, exact = build(config, weights, settings), build(config, weights)
    packing.write(tmp_path / "packed", lambda: build(config, weights), {})
    packed = packing.read(tmp_path / "packed", {}, settings)
    found, expected = (np.frombuffer(outputs(m), np.float32) for m in (model, exact))
    assert outputs(packed) == outputs(model)
    if getattr(model, "cache_precision", None) is None:
        assert outputs(model) == outputs(exact)
        return
    source = IDS if isinstance(model, (_core.Seq2Seq, _core.SpeechSeq2Seq)) else None
    assert golden.cached(model, IDS, source).tobytes() == outputs(model)
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    assert 0 < error < ERRORS[cache_precision]


@precisions
def test_same_bits_in_any_batch(write_model: Any, cache_precision: str) -> None:
    texts = ["abc", "h", "hgfedcba", "aabb", "bead", "cafe", "fade", "gag", "dad", "ebb"]
    path = write_model("transformer")
    check_same_bits(path, texts, cache_precision=cache_precision, beam_size=3, max_new_tokens=8)


@precisions
def test_an_engine_knows_its_cache(
    write_model: Any, lm: ae.LanguageModel, cache_precision: str
) -> None:
    path = write_model("transformer")
    model: Any = ae.load(path, cache_precision=cache_precision)
    assert model.cache_precision == cache_precision
    assert f", cache_precision={cache_precision}, " in repr(model)
    copy = pickle.loads(pickle.dumps(model))
    assert copy.cache_precision == cache_precision
    assert copy.score("abc", "P1") == model.score("abc", "P1")
    usual: Any = ae.load(path)
    assert usual.cache_precision == "float32"
    assert usual.score("abc", "P1") != model.score("abc", "P1")
    assert lm.cache_precision is None


@precisions
def test_a_packed_folder_serves_every_cache(
    write_model: Any, tmp_path: Path, cache_precision: str
) -> None:
    path = write_model("transformer")
    ae.convert(path, tmp_path / "packed", packed=True, precision="int8")
    options = {"precision": "int8", "cache_precision": cache_precision}
    found: Any = load_quietly(tmp_path / "packed", **options)
    expected: Any = ae.load(path, **options)
    assert found.score("abc", "P1 P2") == expected.score("abc", "P1 P2")


@precisions
@pytest.mark.parametrize("architecture", ["rnn_lm", "rnn_seq2seq", "rnn_encoder"])
def test_models_without_keys_and_values(
    write_model: Any, architecture: str, cache_precision: str
) -> None:
    path = write_model(architecture)
    assert ae.load(path, cache_precision="float32").cache_precision is None
    refused = KEEPS_NONE.replace("int8", cache_precision)
    with pytest.raises(ae.Unsupported, match=f"{path}: {refused}"):
        ae.load(path, cache_precision=cache_precision)


@pytest.mark.parametrize(
    ("precision", "chosen"),
    [("float32", "float32"), ("bfloat16", "float16"), ("int8", "float16"), ("int4", "float16")],
)
def test_what_is_chosen_where_none_is_given(
    write_model: Any, run: Run, precision: str, chosen: str
) -> None:
    path = write_model("transformer")
    model: Any = ae.load(path, precision=precision)
    assert model.cache_precision == pickle.loads(pickle.dumps(model)).cache_precision == chosen
    given: Any = ae.load(path, precision=precision, cache_precision=chosen)
    _, out, _ = run("score", "--model", path, "--precision", precision, stdin=b"abc\tP1 P2\n")
    assert out == f"{given.score('abc', 'P1 P2').log_prob:.6f}\n"


@pytest.mark.parametrize("architecture", ["rnn_lm", "rnn_seq2seq", "rnn_encoder"])
def test_nothing_is_chosen_for_models_without_keys_and_values(
    write_model: Any, architecture: str
) -> None:
    model: Any = ae.load(write_model(architecture), precision="int8")
    assert model.cache_precision is pickle.loads(pickle.dumps(model)).cache_precision is None


@pytest.mark.parametrize("name", ["bfloat16", "Float16"])
def test_unknown_names(lm_path: Path, name: Any) -> None:
    wanted = f"cache_precision is {name!r}, expected one of 'float32', 'float16', 'int8'"
    with pytest.raises(ae.Unsupported, match=wanted):
        ae.load(lm_path, cache_precision=name)


def test_commands(run: Run, write_model: Any, lm_path: Path, tmp_path: Path) -> None:
    path, option = write_model("transformer"), ["--cache-precision", "int8"]
    model: Any = ae.load(path, cache_precision="int8")
    _, out, _ = run("translate", "--model", path, *option, "--json", stdin=b"abc\n")
    assert json.loads(out) == model.translate("abc").to_dict()
    _, out, _ = run("score", "--model", path, *option, stdin=b"abc\tP1\n")
    assert out == f"{model.score('abc', 'P1').log_prob:.6f}\n"
    for command in ("generate", "score", "chat"):
        assert refused(run(command, "--model", lm_path, *option, stdin=b"a\n"), KEEPS_NONE)
    assert refused(run("translate", *option, stdin=b"a\n"), KEEPS_NONE)
    quick = ["--new-tokens", 2, "--repeats", 1, "--input-tokens", 3]
    _, out, _ = run("bench", path, *option, *quick)
    assert "run: float32, cache int8, " in out
    _, out, _ = run("bench", path, "--precision", "int8", *quick)
    assert "run: int8, cache float16, " in out
    facts = json.loads(run("info", path, "--json")[1])
    heads, numbers = 2 * 2, 2 * 2 * 20
    wanted = {"float32": 4 * numbers, "float16": 2 * numbers, "int8": numbers + 8 * heads}
    assert facts["cache_per_token"] == wanted
