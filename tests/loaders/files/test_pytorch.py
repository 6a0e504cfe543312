from __future__ import annotations

import argparse
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import pytorch
from attnengine.loaders.files import torch_checkpoint
from attnengine.loaders.files.pickles import Inert
from tests.loaders.files.torch_files import (
    Call,
    Name,
    StorageId,
    pickled,
    tensor_call,
    write_legacy,
    write_zip,
)
from tests.loaders.opennmt.opennmt_files import opennmt, opennmt_content, write_opennmt_pt

FORMS = pytest.mark.parametrize("legacy", [True, False])
WEIGHT = np.arange(6, dtype=np.float32).reshape(2, 3)


def write(folder: Path, content: Any, legacy: bool, array: Any = WEIGHT) -> Path:
    """A checkpoint with the storage "0" alone and the given content."""
    return (write_legacy if legacy else write_zip)(folder / "x.pt", content, {"0": array})


def view(offset: Any, shape: Any, strides: Any, legacy: bool, count: int = 6) -> Call:
    """A tensor over storage "0"."""
    call = tensor_call(np.zeros(count, np.float32), "0", "FloatStorage", legacy)
    return Call(call.function, (call.arguments[0], offset, shape, strides, *call.arguments[4:]))


@FORMS
def test_tensors_and_containers(tmp_path: Path, legacy: bool) -> None:
    content = {
        "weight": tensor_call(WEIGHT, "0", "FloatStorage", legacy),
        "plain": [1, -7, 1 << 70, 2.5, True, None, "ä", (), ("a",), {"k": []}],
        "options": Call(Name("argparse", "Namespace"), (), {"layers": 2}),
        "counter": Call(Name("collections", "Counter"), ({"a": 3},)),
        "table": Call(Name("collections", "defaultdict"), (Name("builtins", "int"), {"a": 1})),
    }

    read = torch_checkpoint.unpickle(write(tmp_path, content, legacy))

    np.testing.assert_array_equal(read["weight"].read(), WEIGHT, strict=True)
    assert read["plain"] == content["plain"]
    assert isinstance(read["options"], Inert)
    assert read["options"].kind == "argparse.Namespace"
    assert read["options"].attributes() == {"layers": 2}
    assert (read["counter"], read["table"]) == ({"a": 3}, {"a": 1})


@FORMS
def test_views_of_one_storage(tmp_path: Path, legacy: bool) -> None:
    content = [
        view(0, (3, 2), (1, 3), legacy),
        view(3, (3,), (1,), legacy),
        view(1, (), (), legacy),
        view(2, (0, 5), (5, 1), legacy),
    ]
    transposed, tail, scalar, empty = torch_checkpoint.unpickle(write(tmp_path, content, legacy))
    np.testing.assert_array_equal(transposed.read(), WEIGHT.T, strict=True)
    np.testing.assert_array_equal(tail.read(), [3, 4, 5])
    assert scalar.read() == 1
    assert empty.read().shape == (0, 5)


@FORMS
@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (7,), (1,)),
        (4, (3,), (1,)),
        (-1, (3,), (1,)),
        (0, (2, 3), (4, 1)),
        (0, (2, 3), (-3, 1)),
        (0, (-2, 3), (3, 1)),
        (0, (2, 3), (3,)),
        (0, (1 << 40,), (0,)),  # strides of 0: a broadcast that torch never saves
        (0, (1 << 62, 1 << 62), (0, 0)),
        (0, (0, 1 << 62, 1 << 62), (1, 1, 1)),
        (0, (1,) * 9, (1,) * 9),
        (1 << 70, (1,), (1,)),
        (0, "abc", (1,)),
        (None, (1,), (1,)),
        (0, [2], [1]),
    ],
)
def test_views_beyond_the_storage(
    tmp_path: Path, offset: Any, shape: Any, strides: Any, legacy: bool
) -> None:
    with pytest.raises(FormatError, match=r"x\.pt"):
        torch_checkpoint.unpickle(write(tmp_path, view(offset, shape, strides, legacy), legacy))


@FORMS
@pytest.mark.parametrize("count", [5, 7, -6, 1 << 62, 1 << 80])
def test_storages_of_another_length(tmp_path: Path, count: int, legacy: bool) -> None:
    rest = (None,) if legacy else ()
    identity = ("storage", Name("torch", "FloatStorage"), "0", "cpu", count, *rest)
    call = Call(Name("torch._utils", "_rebuild_tensor"), (StorageId(identity), 0, (1,), (1,)))
    with pytest.raises(FormatError):
        torch_checkpoint.unpickle(write(tmp_path, call, legacy))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda data: data[:-4], FormatError, "storage 0 is 24 bytes at offset"),
        (lambda data: data[:-30], FormatError, "the length of 0 is 8 bytes"),
        (lambda data: data.replace(b"\xe9\x03.", b"\xea\x03."), FormatError, "does not start like"),
        (lambda data: b"\x80\x02N." * 3 + data, FormatError, "does not start like"),
        (lambda data: data.replace(b"endianq\0\x88", b"endianq\0\x89"), Unsupported, "big-endian"),
        (lambda data: data.replace(pickled(["0"]), pickled(["1"])), FormatError, "not those"),
        (lambda data: data.replace(pickled(["0"]), pickled({})), FormatError, "not those"),
        (lambda data: data.replace(pickled(["0"]), pickled([["0"]])), FormatError, "not those"),
    ],
)
def test_damaged_legacy_files(tmp_path: Path, change: Any, error: Any, message: str) -> None:
    path = write(tmp_path, tensor_call(WEIGHT, "0", "FloatStorage", True), True)
    original = path.read_bytes()
    assert change(original) != original
    path.write_bytes(change(original))
    with pytest.raises(error, match=message):
        torch_checkpoint.unpickle(path)


def test_a_storage_that_is_packed_or_missing(tmp_path: Path) -> None:
    content = pickled(tensor_call(np.zeros(600, np.float32), "0", "FloatStorage", False))
    path = tmp_path / "x.pt"
    for name, message in (("0", "is packed"), ("1", "data/0 is missing")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("m/data.pkl", content)
            archive.writestr(f"m/data/{name}", b"\0" * 2400, zipfile.ZIP_DEFLATED)
        with pytest.raises(FormatError, match=message):
            torch_checkpoint.unpickle(path)


@pytest.mark.parametrize(
    ("extra", "content", "error", "message"),
    [
        ("m/byteorder", "big", Unsupported, "big-endian"),
        ("m/constants.pkl", "", Unsupported, "TorchScript"),
        ("n/data.pkl", "", FormatError, r"2 members data\.pkl"),
    ],
)
def test_other_archives(
    tmp_path: Path, extra: str, content: str, error: type[Exception], message: str
) -> None:
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive:
        archive.writestr("m/data.pkl", pickled([]))
        archive.writestr(extra, content)
    with pytest.raises(error, match=message):
        torch_checkpoint.unpickle(tmp_path / "x.pt")


def test_other_checkpoints_are_unsupported(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.pt", {"epoch": 3, "state_dict": {}}, {})
    with pytest.raises(Unsupported, match="holds epoch, state_dict, expected the keys of"):
        loaders.load(path)
    with pytest.raises(Unsupported, match="holds a list"):
        loaders.load(write_zip(tmp_path / "x.pt", [], {}))


@FORMS
def test_recognised_by_content(tmp_path: Path, legacy: bool) -> None:
    path = write_opennmt_pt(tmp_path, legacy=legacy)
    assert pytorch.matches(path)
    other = path.rename(tmp_path / "checkpoint")
    assert pytorch.matches(other) is legacy  # any format may be a zip archive


# ---- files that PyTorch itself wrote --------------------------------------------------------


@pytest.mark.peers
@FORMS
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64", "int64"])
def test_torch_save(tmp_path: Path, dtype: str, legacy: bool) -> None:
    torch = pytest.importorskip("torch")
    base = torch.arange(24).to(getattr(torch, dtype)).reshape(4, 6)
    content = {
        "whole": base,
        "transposed": base.t(),
        "part": base[1:3, ::2],
        "parameter": torch.nn.Parameter(base * 2) if dtype != "int64" else base,
        "options": argparse.Namespace(size=3),
        "table": OrderedDict(a=1),
    }
    torch.save(content, tmp_path / "x.pt", _use_new_zipfile_serialization=not legacy)

    read = torch_checkpoint.unpickle(tmp_path / "x.pt")

    assert read["options"].attributes() == {"size": 3}
    assert read["table"] == {"a": 1}
    for name in ("whole", "transposed", "part", "parameter"):
        assert (read[name].dtype, read[name].shape) == (dtype, tuple(content[name].shape))
        if dtype == "int64":
            with pytest.raises(Unsupported, match="is int64"):
                read[name].read()
        else:
            expected = content[name].detach().float().numpy()
            np.testing.assert_array_equal(read[name].read(), expected, strict=True)


@pytest.mark.peers
@FORMS
def test_torch_saves_what_our_writer_does(tmp_path: Path, legacy: bool) -> None:
    """torch saves the state dictionary of modules with the same content as our test writer."""
    torch = pytest.importorskip("torch")
    model = opennmt(directions=2)
    content, _ = opennmt_content(model, legacy)
    tensors = {name: torch.from_numpy(array) for name, array in model.weights.items()}
    content["model"] = OrderedDict((k, tensors[k]) for k in content["model"])
    content["generator"] = torch.nn.Sequential(torch.nn.Linear(4, 6)).state_dict()
    content["generator"]["0.weight"] = tensors["generator.0.weight"]
    content["generator"]["0.bias"] = tensors["generator.0.bias"]
    content["opt"] = argparse.Namespace(**model.options)
    content["vocab"] = {"src": model.source, "tgt": model.target}
    del content["optim"]
    torch.save(content, tmp_path / "torch.pt", _use_new_zipfile_serialization=not legacy)

    theirs = loaders.load(tmp_path / "torch.pt")

    ours = loaders.load(write_opennmt_pt(tmp_path / "ours", model, legacy))
    assert theirs.config == ours.config
    assert theirs.vocabularies == ours.vocabularies
    assert theirs.tensors.keys() == ours.tensors.keys()
    for name, tensor in ours.tensors.items():
        np.testing.assert_array_equal(theirs.tensors[name].read(), tensor.read(), strict=True)


@pytest.mark.peers
def test_torch_reads_what_our_writer_writes(tmp_path: Path) -> None:
    """PyTorch reads the files that these tests write."""
    torch = pytest.importorskip("torch")
    for legacy in (True, False):
        path = write(tmp_path, {"w": tensor_call(WEIGHT, "0", "FloatStorage", legacy)}, legacy)
        read = torch.load(path, weights_only=False)
        np.testing.assert_array_equal(read["w"].numpy(), WEIGHT)
        assert pickle.dumps(read) is not None
