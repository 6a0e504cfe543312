from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.ctranslate2.file import Model
from tests.loaders.ctranslate2.ctranslate2_files import (
    encoder_decoder,
    in_precision,
    model_bytes,
    old_name,
    text,
    write_ctranslate2,
)

WEIGHT = "decoder/layer_1/ffn/linear_0/weight"
NAME = "decoder.layers.1.fc1.weight"
SAVED = encoder_decoder()[WEIGHT]  # (6, 8)


def written(path: Path, variables: dict[str, Any], **options: Any) -> Model:
    (path / "model.bin").write_bytes(model_bytes(variables, **options))
    return Model.read(path / "model.bin")


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("precision", ["float32", "int8", "int16"])
def test_versions(tmp_path: Path, version: int, precision: str) -> None:
    checkpoint = loaders.load(write_ctranslate2(tmp_path, version, precision))
    assert checkpoint.config["architecture"] == "transformer"
    assert checkpoint.config["decoder_start_token_id"] == 1
    assert len(checkpoint.vocabularies["source"].tokens) == 5
    # the step of int8 weights is 1/127 of the row's largest; weights are rounded to the nearest
    unit = {"float32": 0, "int8": 1 / 127, "int16": 1 / 1024}[precision]
    tolerance = 0.501 * unit * np.abs(SAVED).max()
    weight = checkpoint.tensors[NAME].read()
    np.testing.assert_allclose(weight, SAVED, rtol=0, atol=tolerance, strict=True)


@pytest.mark.parametrize(("precision", "bits"), [("float16", 11), ("bfloat16", 7)])
def test_half_precisions(tmp_path: Path, precision: str, bits: int) -> None:
    variables = in_precision({"weight": SAVED, "beta": SAVED[0]}, precision)
    tensors = written(tmp_path, variables, version=5).tensors
    assert tensors["weight"].dtype == precision
    np.testing.assert_allclose(tensors["weight"].read(), SAVED, rtol=2.0**-bits, strict=True)
    np.testing.assert_allclose(tensors["beta"].read(), SAVED[0], rtol=2.0**-bits, strict=True)


def test_a_scale_belongs_to_its_weight(tmp_path: Path) -> None:
    whole = np.arange(-6, 6, dtype=np.int8).reshape(2, 3, 2)
    variables = {
        "conv/weight": whole,
        "conv/weight_scale": np.array([2, 4], np.float32),
        "one/weight": whole[0].astype(np.int16),
        "one/weight_scale": np.array(8, np.float32),
        "old/weight": whole[0].astype(np.int16),  # early files store no scale: it is 1000
    }
    tensors = written(tmp_path, variables).tensors
    assert set(tensors) == {"conv/weight", "one/weight", "old/weight"}
    expected = whole / np.array([2, 4])[:, None, None]
    np.testing.assert_array_equal(tensors["conv/weight"].read(), expected)
    np.testing.assert_array_equal(tensors["one/weight"].read(), whole[0] / 8)
    np.testing.assert_allclose(tensors["old/weight"].read(), whole[0] / 1000, rtol=1e-7)


@pytest.mark.parametrize(
    "scale",
    [
        None,
        np.ones(3, np.float32),
        np.ones((2, 1), np.float32),
        np.array(1, np.float32),
        np.ones(2, np.int8),
    ],
)
def test_scales_that_do_not_fit(tmp_path: Path, scale: Any) -> None:
    variables: dict[str, Any] = {"weight": np.ones((2, 3), np.int8)}
    if scale is not None:
        variables["weight_scale"] = scale
    with pytest.raises(FormatError, match=r"the scale of 'weight', int8 of shape \(2, 3\), is"):
        written(tmp_path, variables)


def test_a_scale_of_zero_is_no_scale(tmp_path: Path) -> None:
    variables = {"w": np.ones((1, 3), np.int8), "w_scale": np.zeros(1, np.float32)}
    tensor = written(tmp_path, variables).tensors["w"]
    with pytest.raises(FormatError, match="divide by zero"):
        tensor.read()


def test_settings_keep_their_type(tmp_path: Path) -> None:
    variables = {
        "flag": np.array(np.int8(-1)),
        "size": np.array(np.int32(70_000)),
        "factor": np.array(np.float32(0.5)),
        "half": np.array(np.float16(0.25)),
        "unk_token": np.frombuffer("<ünk>".encode(), np.int8),
    }
    settings = written(tmp_path, variables, version=5).settings
    expected = {"flag": -1, "size": 70_000, "factor": 0.5, "half": 0.25, "unk_token": "<ünk>"}
    assert settings == expected
    assert {name: type(value) for name, value in settings.items()} == {
        name: type(value) for name, value in expected.items()
    }


def test_an_alias_is_the_same_weight(tmp_path: Path) -> None:
    variables = in_precision({"a/weight": SAVED}, "int8")
    tensors = written(tmp_path, variables, version=3, aliases={"b/weight": "a/weight"}).tensors
    assert tensors["b/weight"] is tensors["a/weight"]


@pytest.mark.parametrize(("alias", "name"), [("b", "c"), ("a", "a")])
def test_aliases_of_nothing(tmp_path: Path, alias: str, name: str) -> None:
    with pytest.raises(FormatError, match=f"'{alias}' is to be an alias of '{name}'"):
        written(tmp_path, {"a": SAVED}, version=3, aliases={alias: name})


def test_old_names_that_become_the_same(tmp_path: Path) -> None:
    variables = {old_name(name): array for name, array in encoder_decoder().items()}
    variables["encoder/embeddings/weight"] = variables["transformer/encoder/w_embs:0"]
    write_ctranslate2(tmp_path, 1)
    (tmp_path / "model.bin").write_bytes(model_bytes(variables, version=1))
    with pytest.raises(FormatError, match="w_embs:0 are encoder/embeddings/weight"):
        loaders.load(tmp_path)


def test_integers_are_no_weights(tmp_path: Path) -> None:
    tensor = written(tmp_path, {"w": np.ones((2, 2), np.int32)}, version=4).tensors["w"]
    with pytest.raises(Unsupported, match="w is int32, expected one of float16"):
        tensor.read()


def _variable(name: bytes, rank: bytes, rest: bytes, version: int = 2) -> bytes:
    head = struct.pack("<I", version) + text("TransformerBase")
    return head + struct.pack("<IIH", 2, 1, len(name)) + name + rank + rest


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (struct.pack("<I", 0), "version 0, expected 1 to 6"),
        (struct.pack("<I", 7), "version 7, expected 1 to 6"),
        (b"\2\0", "the version is 4 bytes at offset 0"),
        (struct.pack("<IH", 2, 0xFFFF), "the spec's name is 65535 bytes"),
        (struct.pack("<IH", 2, 0), "expected a closing zero"),
        (struct.pack("<IH", 2, 4) + b"a\0b\0", "expected a closing zero"),
        (struct.pack("<IH", 2, 3) + b"\xff\xff\0", "UnicodeDecodeError"),
        (_variable(b"w\0", b"\xff", b""), "rank 255"),
        (_variable(b"w\0", b"\1", struct.pack("<IBI", 1 << 31, 4, 1 << 31)), "is 8589934592 bytes"),
        (_variable(b"w\0", b"\1", struct.pack("<IBI", 3, 4, 2)), r"shape \(3,\), but its length"),
        (_variable(b"w\0", b"\2", struct.pack("<IIBI", 1 << 16, 1 << 16, 4, 0)), "its length is 0"),
        (_variable(b"w\0", b"\2", struct.pack("<IIBI", 1 << 31, 1 << 31, 4, 0)), "more than any"),
        (_variable(b"w\0", b"\1", struct.pack("<IBI", 1, 3, 1)), "has the type 3, unknown"),
        (_variable(b"w\0", b"\1", struct.pack("<IBI", 1, 6, 1), 4), "has the type 6, unknown"),
        (_variable(b"w\0", b"\1", struct.pack("<IBI", 3, 0, 3), 4), "but its length is 3"),
        (_variable(b"w\0", b"\0", struct.pack("<BIH", 5, 2, 1), 4), "the scalar 'w' is bfloat16"),
        (
            _variable(b"w\0", b"\1", struct.pack("<IBI", 2000, 1, 2000) + bytes(2000)),
            "expected a text of at most 1024 bytes",
        ),
        (_variable(b"w\0", b"\0", struct.pack("<BI", 1, 1) + b"\0more"), "4 bytes after the last"),
    ],
)
def test_damaged_files(tmp_path: Path, data: bytes, message: str) -> None:
    # from version 3 on a list of aliases follows, empty here
    whole = data + (bytes(4) if data[:1] == b"\4" else b"")
    (tmp_path / "model.bin").write_bytes(whole)
    with pytest.raises(FormatError, match=message):
        Model.read(tmp_path / "model.bin")
