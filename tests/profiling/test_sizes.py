"""Estimates of a model's memory from its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from attnengine import loaders, packing
from attnengine.engines import convert
from attnengine.packing.file import Reader
from attnengine.profiling.sizes import cache_bytes, weight_bytes


@pytest.mark.parametrize("precision", packing.LAYOUTS)
@pytest.mark.parametrize("architecture", ["rnn_lm", "rnn_seq2seq", "transformer"])
def test_bytes_of_weights(
    write_model: Any, tmp_path: Path, architecture: str, precision: str
) -> None:
    """The estimate is at most the bytes of a packed file, which pads panels and blocks."""
    path = write_model(architecture)
    convert(path, tmp_path / "packed", packed=True, precision=precision)
    told = weight_bytes(loaders.load(path), precision)
    arrays = Reader(tmp_path / "packed" / "packed.bin").header["parts"]
    assert 0 < told <= sum(_sizes(arrays))


def _sizes(value: Any) -> list[int]:
    """The size in bytes of every array in a header."""
    if isinstance(value, dict) and "array" in value:
        _, shape, dtype = value["array"]
        count = 4 if dtype == "float32" else 1
        for size in shape:
            count *= size
        return [count]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [size for item in items for size in _sizes(item)]


def test_bytes_of_a_token_in_the_cache() -> None:
    grouped = {"num_hidden_layers": 24, "num_attention_heads": 14, "hidden_size": 896}
    config = {"architecture": "qwen2", "num_key_value_heads": 2, **grouped}

    def numbers(**keys: Any) -> float:
        found = cache_bytes({**config, **keys})
        assert found is not None
        assert found["float16"] * 2 == found["float32"]
        return found["float32"] / 4

    assert numbers() == 24 * 2 * (64 + 64)
    assert cache_bytes(config)["int8"] == 24 * 2 * (64 + 64 + 8)
    assert numbers(head_dim=20) == 24 * 2 * (20 + 32)
    assert numbers(num_key_value_heads=None) == 24 * 14 * (64 + 64)
    falcon = {"architecture": "falcon", "multi_query": True, "num_key_value_heads": None}
    assert numbers(**falcon) == 24 * (64 + 64)
    for encoder in ("bert", "xlm-roberta", "camembert"):
        assert cache_bytes({**grouped, "architecture": encoder}) is None
    recurrent = {"architecture": "transformer", "decoder_self_attention": "ssru", **grouped}
    assert cache_bytes(recurrent) is None
