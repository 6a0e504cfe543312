"""What a model takes in memory, told by a build without its weights."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnengine import _core, loaders, packing
from attnengine.engines import convert
from attnengine.models import build
from attnengine.models.settings import BuildSettings
from attnengine.packing.file import Reader
from attnengine.profiling.sizes import built_sizes
from tests.packing.test_packing import MODELS, parts


def sizes_of(path: Path) -> tuple[dict[str, int], dict[str, int] | None]:
    checkpoint = loaders.load(path)
    shapes = {name: tensor.shape for name, tensor in checkpoint.tensors.items()}
    return built_sizes(checkpoint.config, shapes)


@pytest.mark.parametrize("name", MODELS)
def test_bytes_of_weights(name: str) -> None:
    """The sizes equal the bytes that the layers of a built model hold."""
    config, weights = parts(name)
    found, _ = built_sizes(config, {name: weight.shape for name, weight in weights.items()})
    for precision in packing.LAYOUTS:
        settings = BuildSettings(precision=precision)
        _, kept = packing.measure(partial(build, config, weights, settings))
        assert found[precision] == kept


@pytest.mark.parametrize("precision", packing.LAYOUTS)
@pytest.mark.parametrize("architecture", ["rnn_lm", "rnn_seq2seq", "transformer"])
def test_bytes_of_a_packed_file(
    write_model: Any, tmp_path: Path, architecture: str, precision: str
) -> None:
    """The told size is the sum of the arrays in the file."""
    path = write_model(architecture)
    convert(path, tmp_path / "packed", packed=True, precision=precision)
    arrays = Reader(tmp_path / "packed" / "packed.bin").header["parts"]
    assert sizes_of(path)[0][precision] == sum(_sizes(arrays))


def _sizes(value: Any) -> list[int]:
    """The size in bytes of every array in a header."""
    if isinstance(value, dict) and "array" in value:
        _, shape, dtype = value["array"]
        return [np.dtype(dtype).itemsize * int(np.prod(shape))]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [size for item in items for size in _sizes(item)]


def test_bytes_of_a_token(write_model: Any) -> None:
    """2 layers of 2 heads of 4: a key, and a value that fills a vector of 16."""
    numbers = 2 * 2 * (4 + 16)
    assert sizes_of(write_model("transformer"))[1] == {
        "float32": 4 * numbers,
        "float16": 2 * numbers,
        "int8": numbers + 2 * 2 * 8,
    }


@pytest.mark.parametrize("architecture", ["rnn_lm", "rnn_seq2seq", "rnn_encoder"])
def test_models_that_keep_nothing_for_each_token(write_model: Any, architecture: str) -> None:
    assert sizes_of(write_model(architecture))[1] is None


@pytest.mark.parametrize("precision", packing.LAYOUTS)
def test_a_weight_that_is_not_packed_is_not_read(precision: str) -> None:
    """Its layer has the size of one that is packed."""

    def rows(begin: int, end: int) -> Any:
        raise AssertionError("read")

    settings = BuildSettings(precision=precision, pack=False)
    assert not settings.with_precision("int8").pack
    sized = _core.Linear(rows, out_features=70, in_features=90, settings=settings)
    weight = np.ones((70, 90), np.float32)
    packed = _core.Linear(weight, settings=BuildSettings(precision=precision))
    assert sized.packed.nbytes == packed.packed.nbytes
