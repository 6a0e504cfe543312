from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.files import safetensors
from tests.loaders.files.safetensors_files import safetensors_bytes


def entry(dtype: str, shape: list[int], begin: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def read(path: Path, header: Any, data: bytes = b"", pad: int = 0) -> Any:
    path = path / "model.safetensors"
    path.write_bytes(safetensors_bytes(header, data, pad))
    return safetensors.read(path)


@pytest.mark.parametrize("pad", [0, 1, 7])
@pytest.mark.parametrize(
    ("dtype", "raw"),
    [
        ("F32", np.array([[1, -2.5], [3, 1e-40]], "<f4")),
        ("F16", np.array([[1, -2.5], [3, 6e-8]], "<f2")),
        ("F64", np.array([[1, -2.5], [1 / 3, 1e-300]], "<f8")),
    ],
)
def test_floats_become_float32(tmp_path: Path, dtype: str, raw: Any, pad: int) -> None:
    header = {"w": entry(dtype, [2, 2], 0, raw.nbytes), "__metadata__": {"by": "test"}}

    array = read(tmp_path, header, raw.tobytes(), pad)["w"].read()

    np.testing.assert_array_equal(array, raw.astype(np.float32), strict=True)
    assert array.flags.aligned
    assert array.flags.c_contiguous


def test_bfloat16_is_the_upper_half_of_float32(tmp_path: Path) -> None:
    exact = np.array([1.0, -2.5, 3.0e38, 0.0], np.float32)  # at most 8 significant bits each
    exact = (exact.view(np.uint32) & 0xFFFF0000).view(np.float32)
    halves = (exact.view(np.uint32) >> 16).astype("<u2")
    tensor = read(tmp_path, {"w": entry("BF16", [4], 0, 8)}, halves.tobytes())["w"]
    assert tensor.dtype == "bfloat16"
    np.testing.assert_array_equal(tensor.read(), exact, strict=True)


def test_other_types_are_listed_but_not_read(tmp_path: Path) -> None:
    tensor = read(tmp_path, {"w": entry("I64", [1], 0, 8)}, b"\0" * 8)["w"]
    assert (tensor.dtype, tensor.shape) == ("I64", (1,))
    with pytest.raises(Unsupported, match="w is I64, expected one of float16, bfloat16"):
        tensor.read()


def test_a_number_that_float32_cannot_hold_is_an_error(tmp_path: Path) -> None:
    tensor = read(tmp_path, {"w": entry("F64", [1], 0, 8)}, np.array([1e300]).tobytes())["w"]
    with pytest.raises(FormatError, match="overflow"):
        tensor.read()


@pytest.mark.parametrize(
    ("header", "data"),
    [
        ({"a": entry("F32", [2], 0, 8), "b": entry("F32", [2], 4, 12)}, 12),  # overlap
        ({"a": entry("F32", [1], 4, 8)}, 8),  # hole
        ({"a": entry("F32", [1], 0, 4)}, 8),  # bytes left over
        ({"a": entry("F32", [4], 0, 16)}, 8),  # beyond the end of the file
        ({"a": entry("F32", [3], 0, 8)}, 8),  # shape does not fit the bytes
        ({"a": entry("F32", [1 << 32, 1 << 32, 4], 0, 0)}, 0),  # product overflows
        ({"a": entry("F32", [0, (1 << 63) - 1], 0, 0)}, 0),  # empty, but too large a shape
        ({"a": entry("F32", [1] * 9, 0, 4)}, 4),  # too many dimensions
        ({"a": entry("F32", [-1], 0, 4)}, 4),
        ({"a": entry("X32", [1], 0, 4)}, 4),
        ({"a": entry("F32", [1], 4, 0)}, 4),
        ({"a": 1}, 0),
        ("[]", 0),
        ("{" * 100_000, 0),
        (
            '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
            '"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
            8,
        ),
    ],
)
def test_inconsistent_headers_are_refused(tmp_path: Path, header: Any, data: int) -> None:
    with pytest.raises(FormatError, match=r"model\.safetensors"):
        read(tmp_path, header, b"\0" * data)


@pytest.mark.parametrize("size", [3, 1 << 20, 100_000_001, (1 << 63) + 1, (1 << 64) - 1])
def test_a_header_size_that_the_file_cannot_hold(tmp_path: Path, size: int) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(size.to_bytes(8, "little") + b"{}")
    with pytest.raises(FormatError, match="header"):
        safetensors.read(path)
