"""Packed models give the bits of built ones, and are ignored if they do not fit."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import _core, packing
from attnengine.engines.loading import PACKED_FILE
from attnengine.models import build
from attnengine.models.precisions import PRECISIONS
from attnengine.models.settings import FLOAT32, BuildSettings
from attnengine.packing.file import Reader
from attnengine.reference.random_weights import random_weights
from tests.golden import huggingface as golden
from tests.golden.families import FAMILIES
from tests.models.configs import (
    RNN_ENCODER,
    RNN_LM,
    RNN_SEQ2SEQ,
    RNN_WINDOW_LM,
    TRANSFORMER,
    TRANSFORMER_LM,
)

IDS = [1, 2, 3]
CONFIGS = (RNN_LM, RNN_ENCODER, RNN_SEQ2SEQ, RNN_WINDOW_LM, TRANSFORMER, TRANSFORMER_LM)
NATIVE = {config["architecture"]: config for config in CONFIGS}
MODELS = [*FAMILIES, *NATIVE]


def parts(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Config and weights of a model."""
    if name in FAMILIES:
        case = next(iter(golden.cases(name).values()))
        return case["config"], golden.weights(case["shapes"], case["seed"])
    return NATIVE[name], random_weights(NATIVE[name], 0)


def outputs(model: Any) -> bytes:
    source = IDS if isinstance(model, (_core.Seq2Seq, _core.SpeechSeq2Seq)) else None
    return golden.uncached(model, IDS, source).tobytes()


@pytest.mark.parametrize("name", MODELS)
def test_same_bits(tmp_path: Path, name: str) -> None:
    config, weights = parts(name)
    packing.write(tmp_path / "packed", lambda: build(config, weights), {})
    assert outputs(packing.read(tmp_path / "packed", {}, FLOAT32)) == outputs(
        build(config, weights)
    )


@pytest.mark.parametrize("num_threads", [1, 2, 3])
def test_packing_does_not_depend_on_threads(num_threads: int) -> None:
    weight = np.random.default_rng(0).normal(size=(1500, 1500)).astype(np.float32)
    alone = _core.Linear(weight).packed
    layer = _core.Linear(weight, settings=BuildSettings(num_threads=num_threads))
    np.testing.assert_array_equal(layer.packed, alone)


def test_files_written_in_two_threads(lm_path: Path, tmp_path: Path) -> None:
    def write(folder: str, precision: str) -> bytes:
        ae.convert(lm_path, tmp_path / folder, packed=True, precision=precision)
        return (tmp_path / folder / PACKED_FILE).read_bytes()

    precisions = ["float32", "int8"] * 4
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(write, map(str, range(8)), precisions))
    alone = {precision: write(precision, precision) for precision in precisions[:2]}
    assert found == [alone[precision] for precision in precisions]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    config, weights = parts("llama")
    ids = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id"))
    ae.save(tmp_path / "source", {**config, **ids, "tokenizer": "none"}, weights, {})
    return tmp_path / "source"


@pytest.fixture
def packed(source: Path) -> Path:
    ae.convert(source, source.with_name("packed"), packed=True)
    return source.with_name("packed")


def load_quietly(path: Path, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return ae.load(path, **options)


def test_a_packed_folder(source: Path, packed: Path) -> None:
    assert sorted(file.name for file in packed.iterdir()) == [
        "config.json",
        "model.safetensors",
        PACKED_FILE,
    ]
    expected = ae.load(source).logits(IDS)
    np.testing.assert_array_equal(load_quietly(packed).logits(IDS), expected)


def test_the_weights_are_shared_memory(packed: Path) -> None:
    """The packed weights lie in the mapped file, not in memory of the process."""
    script = "import sys, attnengine as ae; m = ae.load(sys.argv[1]); "
    script += "print(open('/proc/self/maps').read())"
    command = [sys.executable, "-c", script, str(packed)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    mapped = [
        line for line in run.stdout.splitlines() if line.endswith(f"{packed.name}/{PACKED_FILE}")
    ]
    assert re.search(r" r--[ps] ", mapped[0])


@pytest.mark.parametrize("change", ["a weight", "the config", "version", "layouts", "precision"])
def test_a_packed_file_that_does_not_fit_is_not_used(packed: Path, change: str) -> None:
    if change == "a weight":
        config, weights = parts("llama")
        name = "model.layers.1.mlp.down_proj.weight"
        changed = weights[name].copy()
        changed[0, 0] += 1
        config = json.loads((packed / "config.json").read_text(encoding="utf-8"))
        for key in ("format", "format_version"):
            del config[key]
        ae.save(packed, config, {**weights, name: changed}, {})
    elif change == "the config":
        file = packed / "config.json"
        file.write_text(file.read_text(encoding="utf-8").replace("1e-05", "1e-03"), "utf-8")
    else:
        key = {"version": "attnengine"}.get(change, change)
        rewrite(packed / PACKED_FILE, {key: "another"})
    with pytest.warns(UserWarning, match="is not used"):
        model = ae.load(packed)
    (packed / PACKED_FILE).unlink()
    np.testing.assert_array_equal(model.logits(IDS), ae.load(packed).logits(IDS))


def rewrite(file: Path, changes: dict[str, Any]) -> None:
    """Change the header of a packed file in place."""
    data = file.read_bytes()
    header = json.dumps({**Reader(file).header, **changes}).encode()
    offset = int.from_bytes(data[20:28], "little")
    preamble = data[:28] + len(header).to_bytes(8, "little")
    preamble += zlib.crc32(header).to_bytes(4, "little")
    file.write_bytes(preamble + data[len(preamble) : offset] + header)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"parts": [["Nothing", [], {}]]}, "part 'Nothing' is unknown"),
        ({"parts": [["InvalidArgument", [], {}]]}, "part 'InvalidArgument' is unknown"),
        ({"parts": [["Linear", [], {}]]}, "incompatible constructor arguments"),
        (
            {"parts": [["Embedding", [{"array": [0, [1 << 40, 1], "float32"]}], {}]]},
            "within the file's",
        ),
        (
            {"parts": [["Embedding", [{"array": [64, [-1, 1], "float32"]}], {}]]},
            "expected an offset",
        ),
        ({"parts": [["Embedding", [{"array": [4, [1, 1], "uint8"]}], {}]]}, "numbers at offset 4"),
        ({"parts": [["Embedding", [{"array": [0, [1, 1], "O"]}], {}]]}, "an array has dtype 'O'"),
        ({"parts": [["Embedding", [{"part": 0}], {}]]}, "part index is 0, expected 0 to -1"),
        ({"root": {"part": 0}}, "holds a .*, expected a model"),
        ({"root": {"part": True}}, "part index is True, expected 0 to"),
    ],
)
def test_headers_that_make_no_sense(packed: Path, header: dict[str, Any], message: str) -> None:
    rewrite(packed / PACKED_FILE, header)
    marks = {key: Reader(packed / PACKED_FILE).header[key] for key in ("attnengine", "precision")}
    with pytest.raises(ae.FormatError, match=message):
        packing.read(packed / PACKED_FILE, marks, FLOAT32)


def test_hostile_files(packed: Path) -> None:
    """Every damaged file loads, possibly with other weights, or raises an attnengine error."""
    original = (packed / PACKED_FILE).read_bytes()
    start = int.from_bytes(original[20:28], "little")
    rng, refused = np.random.default_rng(0), 0
    for _ in range(1000):
        data = bytearray(original)
        for _ in range(rng.integers(1, 4)):
            place = rng.integers(start, len(data)) if rng.random() < 0.8 else rng.integers(0, 40)
            data[place] = rng.integers(256)
        if rng.random() < 0.2:
            del data[rng.integers(len(data)) :]
        elif rng.random() < 0.9:  # a right checksum lets a damaged header through
            data[36:40] = zlib.crc32(bytes(data[start:])).to_bytes(4, "little")
        (packed / PACKED_FILE).write_bytes(data)
        try:
            packing.read(packed / PACKED_FILE, {}, FLOAT32)
        except ae.Error:
            refused += 1
    assert refused > 500


def test_a_native_folder_has_no_precision(lm_path: Path, tmp_path: Path) -> None:
    with pytest.raises(ae.InvalidArgument, match="precision is 'int8', expected packed=True"):
        ae.convert(lm_path, tmp_path / "out", precision="int8")
    assert not (tmp_path / "out").exists()


def test_every_precision_has_a_layout() -> None:
    assert set(packing.LAYOUTS) == set(PRECISIONS)
