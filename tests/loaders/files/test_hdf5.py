from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from attnengine.errors import Error, FormatError, Unsupported
from attnengine.loaders.files import hdf5

ONES = np.ones((2, 3), np.float32)


def written(path: Path, write: Callable[[h5py.File], object]) -> Path:
    with h5py.File(path / "x.h5", "w") as file:
        write(file)
    return path / "x.h5"


def test_weights_and_texts(tmp_path: Path) -> None:
    def write(file: h5py.File) -> None:
        for dtype in ("<f2", "<f4", "<f8"):
            file[f"a/b/{dtype}"] = ONES.astype(dtype)
        file.attrs["bytes"] = b"one"
        file["a"].attrs["text"] = "zwei ä"
        file["a/b"].attrs["fixed"] = np.bytes_(b"three")
        file["a/b"].attrs["list"] = [b"no", b"text"]
        file["a/b"].attrs["number"] = 4

    contents = hdf5.read(written(tmp_path, write))
    assert contents.tensors.keys() == {"a/b/<f2", "a/b/<f4", "a/b/<f8"}
    for tensor in contents.tensors.values():
        np.testing.assert_array_equal(tensor.read(), ONES, strict=True)
    assert contents.texts == {"@bytes": "one", "a@text": "zwei ä", "a/b@fixed": "three"}
    assert contents.under("a").keys() == {"b/<f2", "b/<f4", "b/<f8"}


def test_many_and_long_texts(tmp_path: Path) -> None:
    long = "x" * 200_000

    def write(file: h5py.File) -> None:
        for number in range(40):  # too many for one header: continuation blocks follow
            file.attrs[f"text {number}"] = f"{number}" * 50
        file.attrs["long"] = long

    texts = hdf5.read(written(tmp_path, write)).texts
    assert texts["@long"] == long
    assert texts["@text 39"] == "39" * 50


def loop(file: h5py.File) -> None:
    file.create_group("a/b")
    file["a/b/back"] = file["a"]


def deep(file: h5py.File) -> None:
    file.create_group("/".join("abcdefghijklmnopqrst"))


def elsewhere(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((2, 3), np.float32)
    layout[:] = h5py.VirtualSource("other.h5", "w", (2, 3))
    file.create_virtual_dataset("w", layout)


def huge(file: h5py.File) -> None:
    file.create_dataset("w", (1 << 40,), np.float32)  # declared, never written


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda f: f.__setitem__("w", h5py.SoftLink("/a")), "w is a SoftLink, expected no links"),
        (lambda f: f.__setitem__("w", h5py.ExternalLink("y.h5", "/a")), "w is a ExternalLink"),
        (loop, "deeper than 16 groups"),
        (deep, "deeper than 16 groups"),
        (
            lambda f: f.create_dataset("w", data=ONES, compression="gzip"),
            "does not lie in one piece",
        ),
        (lambda f: f.create_dataset("w", data=ONES, chunks=(1, 3)), "does not lie in one piece"),
        (elsewhere, "does not lie in one piece"),
        (
            lambda f: f.create_dataset("w", (4,), "f4", external=[("raw.bin", 0, 16)]),
            "does not lie in one piece",
        ),
        (huge, "w "),
        (
            lambda f: f.__setitem__("w", ONES.astype(">f4")),
            "w is >f4, expected little-endian floats",
        ),
        (lambda f: f.__setitem__("w", np.arange(3)), "w is int64, expected little-endian floats"),
        (lambda f: f.__setitem__("w", "text"), "w is object, expected little-endian floats"),
    ],
)
def test_what_is_not_read(
    tmp_path: Path, write: Callable[[h5py.File], object], message: str
) -> None:
    path = written(tmp_path, write)
    with pytest.raises(Error, match=r"x\.h5: .*" + message):
        hdf5.read(path)


def heap(path: Path) -> tuple[bytes, int]:
    """A file with one text, and the offset of its heap."""
    data = written(path, lambda file: file.attrs.__setitem__("text", "abc")).read_bytes()
    return data, data.index(b"GCOL")


@pytest.mark.parametrize("length", [4, 1 << 31, (1 << 32) - 1])
def test_a_text_that_is_longer_than_its_heap(tmp_path: Path, length: int) -> None:
    data, at = heap(tmp_path)
    descriptor = struct.pack("<IQI", 3, at, 1)
    assert data.count(descriptor) == 1
    (tmp_path / "x.h5").write_bytes(data.replace(descriptor, struct.pack("<IQI", length, at, 1)))
    with pytest.raises(FormatError, match="bytes"):
        hdf5.read(tmp_path / "x.h5")


@pytest.mark.parametrize(
    ("index", "size"), [(0, 0), (2, 0), (2, (1 << 64) - 16), (2, (1 << 64) - 1)]
)
def test_a_heap_whose_objects_have_no_end(tmp_path: Path, index: int, size: int) -> None:
    data, at = heap(tmp_path)
    first = struct.pack("<HHIQ", index, 1, 0, size)
    (tmp_path / "x.h5").write_bytes(data[: at + 16] + first + data[at + 32 :])
    with pytest.raises(FormatError, match=r"has no text 1 of 3 bytes|damaged"):
        hdf5.read(tmp_path / "x.h5")


def test_a_header_that_continues_in_itself(tmp_path: Path) -> None:
    path = written(
        tmp_path, lambda file: [file.attrs.__setitem__(str(i), "x" * 99) for i in range(9)]
    )
    data = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        at = h5py.h5o.get_info(file.id).addr
    first = at + 16
    data[first : first + 24] = struct.pack("<HHIQQ", 0x10, 16, 0, first, 24)
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"x\.h5"):
        hdf5.read(path)


def test_without_h5py(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, lambda file: None)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(Unsupported, match=r"needs h5py: pip install attnengine\[keras\]"):
        hdf5.read(path)
