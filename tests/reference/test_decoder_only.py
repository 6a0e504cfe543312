from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attnengine.reference.decoder_only import DecoderOnly
from tests.models.checks import weights64
from tests.models.configs import GPT2, LLAMA, QWEN2

IDS = [1, 8, 0, 4, 4, 12]


@pytest.mark.parametrize("config", [LLAMA, QWEN2, GPT2], ids=lambda c: c["architecture"])
def test_step_by_step_equals_all_at_once(config: dict[str, Any]) -> None:
    model = DecoderOnly(config, weights64(config))
    state, rows = model.initial_state(), []
    for token in IDS:
        row, state = model.step(token, state)
        rows.append(row)
    logits = model.logits(IDS)
    assert logits.dtype == np.float64
    np.testing.assert_allclose(rows, logits, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("config", [LLAMA, QWEN2, GPT2], ids=lambda c: c["architecture"])
def test_order_matters_and_the_future_does_not(config: dict[str, Any]) -> None:
    model = DecoderOnly(config, weights64(config))
    logits = model.logits(IDS)
    np.testing.assert_allclose(model.logits(IDS[:3]), logits[:3], rtol=1e-12, atol=1e-12)
    swapped = model.logits([IDS[1], IDS[0], *IDS[2:]])
    assert np.abs(swapped[-1] - logits[-1]).max() > 1e-3


def test_shared_heads_are_heads_that_stand_twice() -> None:
    weights = weights64(LLAMA)
    twice = dict(weights)
    for name in weights:
        if "k_proj" in name or "v_proj" in name:
            heads = weights[name].reshape(2, 6, 24)
            twice[name] = np.repeat(heads, 2, axis=0).reshape(24, 24)
    shared = DecoderOnly(LLAMA, weights).logits(IDS)
    separate = DecoderOnly(LLAMA | {"num_key_value_heads": 4}, twice).logits(IDS)
    np.testing.assert_allclose(shared, separate, rtol=1e-12)
