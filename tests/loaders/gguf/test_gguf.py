from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.gguf import container
from tests.loaders.gguf.gguf_files import (
    ARRAY,
    LLAMA,
    STRING,
    TYPES,
    Stored,
    gguf_bytes,
    llama_tensors,
    stored,
    text,
    write_gguf,
    write_llama_gguf,
)

ONES = stored(np.ones((2, 3), np.float32))
Tensors = dict[str, Stored]


def opened(folder: Path, data: bytes) -> container.Container:
    path = folder / "model.gguf"
    path.write_bytes(data)
    return container.read(path)


@pytest.mark.parametrize("version", [2, 3])
def test_values_of_every_type(tmp_path: Path, version: int) -> None:
    numbers = {
        str(dtype): np.dtype(dtype).type(7)
        for dtype in ("u1", "i1", "u2", "i2", "u4", "i4", "f4", "u8", "i8", "f8")
    }
    given: dict[str, Any] = {**numbers, "text": "é", "yes": True, "texts": ["", "ab", "ü"]}

    found = opened(tmp_path, gguf_bytes(given, {}, version)).metadata

    assert found == given
    assert [type(found[key]) for key in ("u8", "f4", "yes")] == [int, float, bool]


@pytest.mark.parametrize("dtype", ["u1", "i4", "f4", "bool", "i8"])
def test_arrays_of_numbers(tmp_path: Path, dtype: str) -> None:
    given = np.array([0, 1, 1], dtype)
    found = opened(tmp_path, gguf_bytes({"key": given}, {})).metadata["key"]
    np.testing.assert_array_equal(found, given)


@pytest.mark.parametrize("alignment", [8, 32, 128])
def test_tensors(tmp_path: Path, alignment: int) -> None:
    arrays = [np.arange(count, dtype=np.float32) for count in (3, 40, 1)]
    given = {f"weight {i}": stored(array) for i, array in enumerate(arrays)}
    data = gguf_bytes({"general.alignment": alignment, "x": "?"}, given)

    found = opened(tmp_path, data).tensors

    for i, array in enumerate(arrays):
        np.testing.assert_array_equal(found[f"weight {i}"].read(), array)


def test_floats_of_every_size(tmp_path: Path) -> None:
    values = np.array([[1.5, -2.0, 0.25], [8.0, 0.0, -0.5]], np.float32)
    given = {
        "f32": stored(values),
        "f16": stored(values.astype(np.float16)),
        "bf16": stored((values.view(np.uint32) >> 16).astype(np.uint16)),
    }
    found = opened(tmp_path, gguf_bytes({}, given)).tensors
    for name, dtype in (("f32", "float32"), ("f16", "float16"), ("bf16", "bfloat16")):
        assert (found[name].dtype, found[name].shape) == (dtype, (2, 3))
        np.testing.assert_array_equal(found[name].read(), values)


def test_blocks_stay_blocks_until_read(tmp_path: Path) -> None:
    block = struct.pack("<e", 0.5) + bytes(range(32))
    given = {"weight": Stored(TYPES["Q8_0"], (64, 3), block * 6)}
    found = opened(tmp_path, gguf_bytes({}, given)).tensors["weight"]
    assert (found.dtype, found.shape) == ("Q8_0", (3, 64))
    np.testing.assert_array_equal(found.read(), np.tile(np.arange(32) / 2, (3, 2)))
    assert found.read_rows is not None
    np.testing.assert_array_equal(found.read_rows(1, 3), np.tile(np.arange(32) / 2, (2, 2)))


def test_blocks_of_a_vector(tmp_path: Path) -> None:
    block = struct.pack("<e", 0.5) + bytes(range(32))
    given = {"norm": Stored(TYPES["Q8_0"], (64,), block * 2)}
    found = opened(tmp_path, gguf_bytes({}, given)).tensors["norm"]
    np.testing.assert_array_equal(found.read(), np.tile(np.arange(32) / 2, 2))


# ---- hostile files ----------------------------------------------------------------------

HUGE = (1 << 64) - 1


def metadata_bytes(*pairs: bytes, count: int | None = None) -> bytes:
    """The bytes of a file that ends after its metadata."""
    count = len(pairs) if count is None else count
    return b"GGUF" + struct.pack("<IQQ", 3, 0, count) + b"".join(pairs)


def pair(kind: int, value: bytes, key: str = "key") -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def array_head(kind: int, length: int) -> bytes:
    return struct.pack("<IQ", kind, length)


def tensor_file(**changes: Any) -> bytes:
    return gguf_bytes({}, {"weight": replace(ONES, **changes)})


Q8_0 = TYPES["Q8_0"]
DAMAGED: dict[str, tuple[bytes, str]] = {
    "no magic": (b"GGML" + bytes(30), "starts with b'GGML', expected b'GGUF'"),
    "empty": (b"GGUF", "the version is 4 bytes at offset 4, but the file has 4 bytes"),
    "too many values": (metadata_bytes(count=HUGE), f"metadata values is {HUGE}, more than"),
    "too many tensors": (b"GGUF" + struct.pack("<IQQ", 3, 1 << 40, 0), "tensors is 1099511627776"),
    "long key": (metadata_bytes(struct.pack("<Q", HUGE) + bytes(9)), f"key has {HUGE} bytes"),
    "long text": (metadata_bytes(pair(STRING, struct.pack("<Q", 1 << 62))), "key has 4611686"),
    "text that wraps": (metadata_bytes(pair(STRING, struct.pack("<Q", HUGE - 7))), "more than"),
    "long array": (metadata_bytes(pair(ARRAY, array_head(10, 1 << 61))), "length of key is 23058"),
    "long texts": (metadata_bytes(pair(ARRAY, array_head(8, 1 << 33))), "length of key is 85899"),
    "unknown value": (metadata_bytes(pair(13, bytes(8))), "'key' has type 13"),
    "unknown array": (metadata_bytes(pair(ARRAY, array_head(13, 1) + bytes(9))), "of type 13"),
    "not UTF-8": (metadata_bytes(pair(STRING, struct.pack("<Q", 1) + b"\xff")), "UnicodeDecode"),
    "key twice": (metadata_bytes(pair(0, b"1"), pair(0, b"2")), "'key' stands twice"),
    "too many sizes": (tensor_file(sizes=(1,) * 5), "'weight' has 5 sizes, expected up to 4"),
    "overflow": (tensor_file(sizes=(1 << 32, 1 << 32)), "more than any memory holds"),
    "wrapping product": (tensor_file(sizes=(1 << 63, 2)), "more than any memory holds"),
    "blocks that overflow": (tensor_file(kind=Q8_0, sizes=(1 << 40, 1 << 30)), "more than any"),
    "empty, but huge": (tensor_file(sizes=(0, 1 << 63)), "more than any memory holds"),
    "too large": (tensor_file(sizes=(3, 1000)), "weight is 12000 bytes at offset"),
    "rows of half blocks": (tensor_file(kind=Q8_0, sizes=(48, 2)), "rows of a multiple of 32"),
    "block without size": (tensor_file(kind=Q8_0, sizes=()), "rows of a multiple of 32"),
    "unaligned": (tensor_file(offset=4), "offset 4, expected a multiple of 32 after 'the header'"),
    "far away": (tensor_file(offset=1 << 62), "but the file has"),
    "overlap": (
        gguf_bytes({}, {"a": stored(np.ones(20, np.float32)), "b": replace(ONES, offset=32)}),
        "'b' is at offset 32, expected a multiple of 32 after 'a', which ends at 80",
    ),
    "the same place": (gguf_bytes({}, {"a": ONES, "b": replace(ONES, offset=0)}), "which ends at"),
    "tensor twice": (
        b"GGUF"
        + struct.pack("<IQQ", 3, 2, 0)
        + 2 * (text("a") + struct.pack("<IIQ", 0, 0, 0))
        + bytes(64),
        "the tensor 'a' stands twice",
    ),
    **{
        f"alignment {value!r}": (
            gguf_bytes({"general.alignment": value}, {"weight": ONES}),
            f"general.alignment is {value!r}, expected a power of two from 8",
        )
        for value in (0, 4, 24, 1 << 21, 32.0)
    },
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damage_is_named(tmp_path: Path, case: str) -> None:
    data, message = DAMAGED[case]
    with pytest.raises(FormatError, match=message) as error:
        opened(tmp_path, data)
    assert "model.gguf" in str(error.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
        (b"GGUF" + struct.pack("<III", 1, 0, 0), r"GGUF version 1, expected one of \(2, 3\)"),
        (b"GGUF" + struct.pack("<IQQ", 4, 0, 0), "GGUF version 4"),
        (metadata_bytes(pair(ARRAY, array_head(ARRAY, 1) * 1000)), "an array of arrays"),
        (tensor_file(kind=TYPES["Q2_K"]), "'weight' is Q2_K, expected one of F32, F16, BF16, Q4_0"),
        (tensor_file(kind=4), "'weight' is of type 4, expected"),
    ],
)
def test_what_is_not_read(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(Unsupported, match=message):
        opened(tmp_path, data)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    data = write_llama_gguf(tmp_path).read_bytes()
    path = tmp_path / "model.gguf"
    for length in [*range(0, 9000, 73), *range(9000, len(data) - 32, 1501)]:
        path.write_bytes(data[:length])
        with pytest.raises(FormatError):
            loaders.load(path)


# ---- which file it is -------------------------------------------------------------------


def test_a_file_is_known_by_its_start_or_by_its_name(tmp_path: Path) -> None:
    path = write_llama_gguf(tmp_path)
    assert loaders.load(path.rename(tmp_path / "blob")).config["architecture"] == "llama"
    (tmp_path / "other.gguf").write_bytes(b"version https://git-lfs")
    with pytest.raises(FormatError, match="starts with b'vers', expected b'GGUF'"):
        loaders.load(tmp_path / "other.gguf")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"general.architecture": "mamba"}, "general.architecture is 'mamba', expected one of"),
        ({"general.type": "adapter"}, "general.type is 'adapter', expected 'model'"),
        ({"split.count": np.uint16(3)}, "split.count is 3, expected 1"),
        ({"general.architecture": 5}, "general.architecture is 5, expected one of llama"),
        ({"llama.expert_count": 8}, "llama.expert_count is 8, expected 0"),
        ({"llama.attention.clamp_kqv": 1.0}, "llama.attention.clamp_kqv is 1.0, which is not kn"),
        ({"llama.rope.dimension_count": 4}, "rope.dimension_count is 4, expected 8, the size of"),
        ({"llama.rope.scaling.type": "su"}, "scaling.type is 'su', expected one of none, linear"),
        (
            {"llama.attention.head_count_kv": np.array([2, 4], np.int32)},
            r"head_count_kv is \[2, 4\], expected the same for every layer",
        ),
    ],
)
def test_what_an_architecture_has_not(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(Unsupported, match=message):
        loaders.load(write_llama_gguf(tmp_path, **changes))


def test_weights_must_fit(tmp_path: Path) -> None:
    tensors = llama_tensors()
    with pytest.raises(Unsupported, match=r"weight 'blk.0.attn_sinks' belongs to nothing"):
        loaders.load(write_gguf(tmp_path / "a.gguf", LLAMA, {**tensors, "blk.0.attn_sinks": ONES}))
    tensors["blk.0.attn_q.weight"] = stored(np.ones((7, 32), np.float32))
    with pytest.raises(
        FormatError, match=r"attn_q.weight has 7 rows, expected pairs of them for 4"
    ):
        loaders.load(write_gguf(tmp_path / "b.gguf", LLAMA, tensors))
    del tensors["token_embd.weight"]
    with pytest.raises(FormatError, match=r"token_embd.weight is missing or no matrix"):
        loaders.load(write_gguf(tmp_path / "c.gguf", LLAMA, tensors))
