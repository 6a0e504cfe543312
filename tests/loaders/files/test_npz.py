from __future__ import annotations

import json
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import npz
from attnengine.loaders.files import npz_arrays
from tests.loaders.native.native_files import language_model, write_native, write_npz
from tests.loaders.opennmt.opennmt_files import opennmt, write_opennmt_npz


def npy(header: str, data: bytes = b"", version: int = 1) -> bytes:
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header.encode("latin-1") + data


def archive(folder: Path, content: bytes, method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(folder / "x.npz", "w", method) as file:
        file.writestr("w.npy", content)
    return folder / "x.npz"


FLOATS = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n"


@pytest.mark.parametrize("packed", [False, True])
def test_native_names(tmp_path: Path, packed: bool) -> None:
    config, arrays, vocabularies = language_model()
    checkpoint = loaders.load(write_npz(tmp_path / "model", packed))
    assert checkpoint.config == config
    assert checkpoint.vocabularies["vocabulary"].tokens == tuple(vocabularies["vocabulary"])
    assert checkpoint.tensors.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(checkpoint.tensors[name].read(), array, strict=True)


def test_the_config_of_the_same_name_comes_first(tmp_path: Path) -> None:
    path = write_npz(tmp_path)
    write_opennmt_npz(tmp_path)  # writes model.npz and model.json beside config.json
    assert loaders.load(path).config["architecture"] == "rnn_seq2seq"


def test_opennmt(tmp_path: Path) -> None:
    model = opennmt()
    checkpoint = loaders.load(write_opennmt_npz(tmp_path))
    weight = checkpoint.tensors["decoder.rnn.weight_ih_l0"]
    assert weight.name == "decoder.rnn.layers.0.weight_ih"
    np.testing.assert_array_equal(weight.read(), model.weights[weight.name])


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(np.arange(6, dtype="<f4").reshape(2, 3)),
        np.arange(6, dtype=">f4").reshape(3, 2),
        np.arange(3, dtype=np.float16),
        np.array(2.5),
        np.zeros((2, 0), np.float32),
    ],
)
def test_every_layout_that_numpy_writes(tmp_path: Path, array: np.ndarray, packed: bool) -> None:
    (np.savez_compressed if packed else np.savez)(tmp_path / "x.npz", w=array)
    read = npz_arrays.tensors(tmp_path / "x.npz")["w"].read()
    np.testing.assert_array_equal(read, array.astype(np.float32), strict=True)
    assert read.flags.c_contiguous


def test_integers_are_listed_but_not_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", w=np.arange(3))
    tensor = npz_arrays.tensors(tmp_path / "x.npz")["w"]
    assert tensor.dtype == "int64"
    with pytest.raises(Unsupported, match="w is int64"):
        tensor.read()


def test_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", w=np.array([{}, print], dtype=object))
    with pytest.raises(FormatError, match=r"header of w is .*\|O"):
        npz_arrays.tensors(tmp_path / "x.npz")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        npy(FLOATS, b"\0" * 7),
        npy(FLOATS, b"\0" * 9),
        npy(FLOATS, b"\0" * 8, version=9),
        npy(FLOATS.replace("(2,)", "(-2,)"), b"\0" * 8),
        npy(FLOATS.replace("(2,)", "(4294967296, 4294967296, 4294967296)")),
        npy(FLOATS.replace("(2,)", "(0, 9223372036854775807)")),
        npy(FLOATS.replace("(2,)", "(1, 1, 1, 1, 1, 1, 1, 1, 1)"), b"\0" * 4),
        npy(FLOATS.replace("'<f4'", "__import__('os').system('true')"), b"\0" * 8),
        npy(FLOATS.replace("'<f4'", "[('a', '<f4')]"), b"\0" * 8),
        npy(FLOATS.replace("<f4", "<f3"), b"\0" * 6),
        npy(FLOATS.replace("'shape'", "'descr'"), b"\0" * 8),
        npy("{" * 9000),
        npy(FLOATS + " " * 20_000, b"\0" * 8),
        struct.pack("<8sI", b"\x93NUMPY\2\0", 0xFFFFFFFF),
    ],
)
def test_headers_that_do_not_fit(tmp_path: Path, content: bytes, method: int) -> None:
    with pytest.raises(FormatError, match=r"x\.npz"):
        npz_arrays.tensors(archive(tmp_path, content, method))


def test_a_header_of_another_writer_order(tmp_path: Path) -> None:
    header = "{'shape': (1, 2), 'fortran_order': False, 'descr': '<f4'}"
    path = archive(tmp_path, npy(header, np.array([3, 4], "<f4").tobytes()))
    np.testing.assert_array_equal(npz_arrays.tensors(path)["w"].read(), [[3, 4]])


def _patched(path: Path, old: bytes, new: bytes) -> Path:
    data = path.read_bytes()
    assert data.count(old) >= 1
    path.write_bytes(data.replace(old, new))
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_sizes_that_the_archive_cannot_hold(tmp_path: Path, method: int) -> None:
    content = npy(FLOATS, b"\0" * 8)
    path = archive(tmp_path, content, method)
    huge = struct.pack("<I", 0x7FFFFFFF)
    with pytest.raises(FormatError, match="2147483647 bytes"):
        npz_arrays.tensors(_patched(path, struct.pack("<I", len(content)), huge))


def test_a_stream_that_unpacks_to_more_than_it_says(tmp_path: Path) -> None:
    shape = "(1000000,)"
    content = npy(FLOATS.replace("(2,)", shape), b"\0" * 4_000_000)
    path = archive(tmp_path, content, zipfile.ZIP_DEFLATED)
    short = npy(FLOATS.replace("(2,)", "(100000,) "), b"\0" * 400_000)
    _patched(path, struct.pack("<I", len(content)), struct.pack("<I", len(short)))
    with pytest.raises(FormatError, match=r"x\.npz: w"):
        npz_arrays.tensors(path)["w"].read()


def test_damaged_weights_do_not_match_their_checksum(tmp_path: Path) -> None:
    path = archive(tmp_path, npy(FLOATS, struct.pack("<2f", 1, 2)))
    tensor = npz_arrays.tensors(_patched(path, struct.pack("<2f", 1, 2), struct.pack("<2f", 1, 3)))[
        "w"
    ]
    with pytest.raises(FormatError, match="checksum"):
        tensor.read()


def test_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        file.writestr("w0.npy", npy(FLOATS, b"\0" * 8) * 50)
        for i in range(1, 4):
            copy = zipfile.ZipInfo(f"w{i}.npy")
            for field in ("header_offset", "CRC", "compress_size", "file_size"):
                setattr(copy, field, getattr(file.filelist[0], field))
            file.filelist.append(copy)
    with pytest.raises(FormatError, match="claim more bytes than"):
        npz_arrays.tensors(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("method", "flags", "error", "message"),
    [
        (zipfile.ZIP_BZIP2, 0, Unsupported, "packed by method 12"),
        (zipfile.ZIP_STORED, 1, Unsupported, "encrypted"),
    ],
)
def test_other_packing_is_unsupported(
    tmp_path: Path, method: int, flags: int, error: type[Exception], message: str
) -> None:
    path = archive(tmp_path, npy(FLOATS, b"\0" * 8), method)
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= flags
    path.write_bytes(data)
    with pytest.raises(error, match=message):
        npz_arrays.tensors(path)


def test_a_member_that_is_no_array(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        file.writestr("readme.txt", "hello")
    with pytest.raises(FormatError, match=r"'readme\.txt' is no array"):
        npz_arrays.tensors(tmp_path / "x.npz")


def test_without_a_config(tmp_path: Path) -> None:
    path = archive(tmp_path, npy(FLOATS, b"\0" * 8))
    with pytest.raises(FormatError, match=r"config\.json is missing"):
        loaders.load(path)
    (tmp_path / "config.json").write_text(json.dumps({"hidden": 3}))
    with pytest.raises(FormatError, match="its keys are hidden, expected"):
        loaders.load(path)


def test_a_small_file_of_zeros_is_no_bomb(tmp_path: Path) -> None:
    """Deflate compresses zeros 1030 times, and the reader accepts that ratio."""
    zeros = np.zeros(1_000_000, np.float32)
    np.savez_compressed(tmp_path / "x.npz", w=zeros)
    assert (tmp_path / "x.npz").stat().st_size < zeros.nbytes / 900
    assert zlib.crc32(npz_arrays.tensors(tmp_path / "x.npz")["w"].read()) == zlib.crc32(zeros)


def test_a_native_folder_is_not_an_archive(tmp_path: Path) -> None:
    folder = write_native(tmp_path / "model")
    assert not npz.matches(folder)
