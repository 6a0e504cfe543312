from __future__ import annotations

import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest

from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.files import torch_checkpoint
from tests.loaders.files.torch_files import Call, Name, pickled, write_legacy, write_zip
from tests.loaders.opennmt.opennmt_files import opennmt, opennmt_content, write_opennmt_pt

FORMS = pytest.mark.parametrize("legacy", [True, False])


def write(folder: Path, content: Any, legacy: bool) -> Path:
    return (write_legacy if legacy else write_zip)(folder / "x.pt", content, {})


def raw_pickle(folder: Path, data: bytes, legacy: bool) -> Path:
    """A checkpoint that contains exactly these bytes as its pickle."""
    path = folder / "x.pt"
    if legacy:
        write_legacy(path, "CONTENT", {})
        path.write_bytes(path.read_bytes().replace(pickled("CONTENT"), data))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model/data.pkl", data)
    return path


MALICIOUS = [
    Call(Name("os", "system"), ("true",)),
    Call(Name("posix", "system"), ("true",)),
    Call(Name("builtins", "eval"), ("1",)),
    Call(Name("__builtin__", "exec"), ("1",)),
    Call(Name("builtins", "getattr"), (Name("builtins", "eval"), "__call__")),
    Call(Name("builtins", "__import__"), ("os",)),
    Call(Name("numpy.core.multiarray", "_reconstruct"), ((), (0,), b"b")),
    Call(Name("numpy", "load"), ("x",)),
    Call(Name("numpy.testing._private.utils", "runstring"), ("1", {})),
    Call(Name("torch", "load"), ("x",)),
    Call(Name("torch.serialization", "load"), ("x",)),
    Call(Name("torch.hub", "load"), ("x", "y")),
    Call(Name("torch._utils", "_rebuild_tensor.__globals__"), ()),
    Call(Name("collections", "OrderedDict.update"), ({},)),
    Call(Name("subprocess", "Popen"), (["true"],)),
    Call(Name("functools", "reduce"), ()),
    Call(Name("copyreg", "_reconstructor"), ()),
]


@FORMS
@pytest.mark.parametrize("call", MALICIOUS, ids=lambda call: call.function.name)
def test_other_globals_are_refused_by_name(tmp_path: Path, call: Call, legacy: bool) -> None:
    name = f"'{call.function.module}.{call.function.name}'"
    with pytest.raises(FormatError, match="which is refused") as caught:
        torch_checkpoint.unpickle(write(tmp_path, {"a": call}, legacy))
    assert name in str(caught.value)


@FORMS
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "'os.system', which is refused"),
        (b"(S'true'\nios\nsystem\n.", "INST, which is refused"),
        (b"(cos\nsystem\nS'true'\no.", "'os.system', which is refused"),
        (b"c__builtin__\ndict\n)R.", "calls __builtin__.dict, which is refused"),
        (b"\x80\x02\x82\x01.", "EXT1, which is refused"),
        (b"N)R.", "calls what is no function"),
        (b"cargparse\nNamespace\nNR.", "calls what is no function"),
        (b"cargparse\nNamespace\n}b.", "sets the state of what has none"),
        (b"]}b.", "sets the state of what has none"),
        (b"\x8d" + struct.pack("<Q", 1 << 62) + b"a.", "ValueError"),
        (b"\x8e" + struct.pack("<Q", (1 << 64) - 1) + b"a.", "ValueError"),
        (b"X\xff\xff\xff\x7fa.", "ValueError"),
        (b"\x8b\xff\xff\xff\x7fa.", "ValueError"),
        (b"\x8b\xff\xff\xff\xffa.", "ValueError"),
        (b"I" + b"9" * 10_000 + b"\n.", "ValueError"),
        (b"\x80\x09.", "IndexError"),
        (b"h\x05.", "KeyError"),
        (b"0.", "empty stack"),
        (b"(((N0000.", "empty stack"),
        (b"t.", "IndexError"),
        (b"N(Ne.", "adds to what is no list"),
        (b"](NNu.", "adds to what is no dict"),
        (b"}(Nu.", "unusable key"),
        (b"}]Ns.", "unusable key"),
        (b"}" + b"(" * 100 + b")" + b"t" * 100 + b"Ns.", "unusable key"),
        (b".", "IndexError"),
        (b"S'\\xff'\n.", "UnicodeDecodeError"),
    ],
)
def test_pickles_that_are_no_data(tmp_path: Path, data: bytes, message: str, legacy: bool) -> None:
    path = raw_pickle(tmp_path, data, legacy)
    with pytest.raises(FormatError, match=message):
        torch_checkpoint.unpickle(path)


@FORMS
@pytest.mark.parametrize(
    "data",
    [
        b"](r\xff\xff\xff\xffe.",  # 64 GB if the memo were an array
        b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"].",  # a frame beyond the end of the file
        b"]2\x94j\x00\x00\x00\x000.",
    ],
)
def test_sizes_that_mean_nothing_here(tmp_path: Path, data: bytes, legacy: bool) -> None:
    tracemalloc.start()
    try:
        assert torch_checkpoint.unpickle(raw_pickle(tmp_path, data, legacy)) == []
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_nesting_without_end_does_not_overflow_the_stack(tmp_path: Path) -> None:
    depth = 200_000
    path = raw_pickle(tmp_path, b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b".", False)
    read = torch_checkpoint.unpickle(path)
    for _ in range(depth - 1):
        (read,) = read
    assert read == []


def test_too_many_opcodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attnengine.loaders.files.pickles._MAX_OPCODES", 1000)
    with pytest.raises(FormatError, match="a pickle of more than 1000 opcodes"):
        torch_checkpoint.unpickle(raw_pickle(tmp_path, b"N" * 1001 + b".", False))


def test_too_many_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attnengine.loaders.files.pickles._MAX_CALLS", 3)
    calls = [Call(Name("collections", "OrderedDict"), ())] * 4
    assert torch_checkpoint.unpickle(write(tmp_path, calls[:3], False)) == [{}, {}, {}]
    with pytest.raises(FormatError, match=r"calls collections\.OrderedDict, which is refused"):
        torch_checkpoint.unpickle(write(tmp_path, calls, False))


NESTED = b"(" * 300_000 + b")" + b"t" * 300_000  # nested tuples, which hash() would recurse into


def test_no_hash_of_nested_tuples(tmp_path: Path) -> None:
    """Hashing any of these tuples would crash the interpreter."""
    for data in (b"}" + NESTED + b"Ns.", b"}(" + NESTED + b"Nu.", b"(" + NESTED + b"Nd."):
        with pytest.raises(FormatError, match="unusable key"):
            torch_checkpoint.unpickle(raw_pickle(tmp_path, data, True))
    path = write(tmp_path, [], True)
    data = path.read_bytes()
    assert data.endswith(pickled([]))
    path.write_bytes(data[: -len(pickled([]))] + b"\x80\x02](" + NESTED + b"e.")
    with pytest.raises(FormatError, match="the storages are not those"):
        torch_checkpoint.unpickle(path)


def test_a_vocabulary_of_nested_tuples(tmp_path: Path) -> None:
    path = write_opennmt_pt(tmp_path, legacy=True)
    data = path.read_bytes()
    old = b"X\x03\x00\x00\x00srcq\x00"
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, NESTED))
    with pytest.raises(FormatError, match="vocab src is none"):
        loaders.load(path)


@pytest.mark.parametrize("place", ["opt", "start", "vocab", "weight", "shape"])
def test_no_text_of_what_is_endless_when_written_out(tmp_path: Path, place: str) -> None:
    """40 lists, each with the one before it twice, have 2**40 brackets as text."""
    endless = b"]" + b"q\x01]h\x01ah\x01a" * 40
    marker = b"X\x06\x00\x00\x00MARKERq\x00"
    content, storages = opennmt_content(opennmt(), legacy=False)
    if place == "vocab":
        content["vocab"] = {"src": ["MARKER"], "tgt": ["MARKER"]}
    elif place == "weight":
        content["model"]["w"] = "MARKER"
    elif place == "shape":
        call = content["model"]["decoder.attn.linear_in.weight"]
        arguments = (*call.arguments[:2], "MARKER", *call.arguments[3:])
        content["model"]["decoder.attn.linear_in.weight"] = Call(call.function, arguments)
    else:
        option = {"opt": "copy_attn", "start": "decoder_start_token"}[place]
        content["opt"] = Call(
            Name("argparse", "Namespace"), (), {**opennmt().options, option: "MARKER"}
        )
    path = write_zip(tmp_path / "x.pt", content, storages)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert marker in members["model/data.pkl"]
    members["model/data.pkl"] = members["model/data.pkl"].replace(marker, endless)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises((FormatError, Unsupported)) as caught:
        loaders.load(path)
    assert len(str(caught.value)) < 1000
