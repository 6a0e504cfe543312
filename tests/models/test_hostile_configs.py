"""Configs of every family with nonsensical values build a model or raise an attnengine error."""

from __future__ import annotations

import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest

from attnengine.errors import Error
from attnengine.models import build
from tests.golden import huggingface as golden
from tests.golden.families import FAMILIES

MUTATIONS = 60  # per family
LIMIT = 4 << 20  # bytes, ten times a model here
NUMBERS = (-1, 0, 1, 2, 3, 7, 4096, 2**31 - 1, 2**31, 10**400, 0.0, -1.0, 0.5, 1e-300, 1e308)
OBJECTS = ({}, {"rope_type": "yarn", "factor": 1e308}, {"rope_type": "linear", "factor": 1e-300})
LISTS = ([], [0], [1, 0], [-1, 1], [2**31 - 1] * 2, ["full_attention"], ["x", "x"], [None])
VALUES = (None, True, False, "", "x", float("nan"), float("inf"), *NUMBERS, *OBJECTS, *LISTS)


@pytest.mark.parametrize("family", FAMILIES)
def test_values_that_make_no_sense(family: str) -> None:
    cases = [
        (case["config"], golden.weights(case["shapes"], case["seed"]))
        for case in golden.cases(family).values()
    ]
    keys = sorted({key for config, _ in cases for key in config} - {"architecture"})
    rng = np.random.default_rng(zlib.crc32(family.encode()))
    refused = 0
    tracemalloc.start()
    try:
        for _ in range(MUTATIONS):
            config, weights = cases[rng.integers(len(cases))]
            change: dict[str, Any] = {str(rng.choice(keys)): VALUES[rng.integers(len(VALUES))]}
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            try:
                build(config | change, weights)
            except Error:
                refused += 1
            assert tracemalloc.get_traced_memory()[1] - before < LIMIT, change
    finally:
        tracemalloc.stop()
    assert refused > MUTATIONS / 4
