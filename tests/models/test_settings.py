"""Settings belong to one model: models that are built at the same time keep their own."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from attnengine.errors import InvalidArgument, Unsupported
from attnengine.models import build
from attnengine.models.precisions import PRECISIONS
from attnengine.models.settings import BuildSettings, build_settings
from attnengine.packing import LAYOUTS
from attnengine.reference.random_weights import random_weights
from tests.golden import huggingface as golden
from tests.models.configs import LLAMA, RNN_SEQ2SEQ, TRANSFORMER


class InTurns:
    """A weight that waits until the other build reads one too."""

    def __init__(self, values: np.ndarray, both: threading.Barrier) -> None:
        self.values, self.shape, self.both = values, values.shape, both

    def read(self) -> np.ndarray:
        self.both.wait(timeout=60)
        return self.values


@pytest.mark.parametrize(
    "config", [LLAMA, TRANSFORMER, RNN_SEQ2SEQ], ids=lambda c: c["architecture"]
)
def test_two_models_built_in_turns(config: dict[str, Any]) -> None:
    """Both models have the precisions and the bits of models that are built alone."""
    weights, both = random_weights(config, 0), threading.Barrier(2)
    tensors = {name: InTurns(values, both) for name, values in weights.items()}
    chosen = [build_settings("int8", "int8", 2), build_settings("bfloat16", "float16")]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda settings: build(config, tensors, settings), chosen))
    for model, settings in zip(found, chosen, strict=True):
        alone = build(config, weights, settings)
        assert outputs(model) == outputs(alone) != outputs(build(config, weights))
        if config is not RNN_SEQ2SEQ:
            assert model.cache_precision == settings.cache_precision  # type: ignore[union-attr]
    assert outputs(found[0]) != outputs(found[1])


def outputs(model: Any) -> bytes:
    source = [1, 2, 3] if hasattr(model, "encode") else None
    return golden.uncached(model, [1, 2, 3], source).tobytes()


def test_settings_are_checked() -> None:
    with pytest.raises(Unsupported, match="precision is 'int7', expected one of 'float32'"):
        build_settings("int7")
    with pytest.raises(Unsupported, match="cache_precision is 'int4', expected one of 'float32'"):
        build_settings("int8", "int4")
    with pytest.raises(InvalidArgument, match="num_threads is 0, expected 1 to 1024"):
        BuildSettings(num_threads=0)
    with pytest.raises(InvalidArgument, match='precision is "int7", expected one of'):
        BuildSettings().with_precision("int7")


def test_every_precision_has_a_layout() -> None:
    assert tuple(LAYOUTS) == PRECISIONS
