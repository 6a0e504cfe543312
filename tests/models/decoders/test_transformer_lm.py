from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attnengine.errors import FormatError
from attnengine.models import build
from attnengine.reference.random_weights import random_weights
from attnengine.reference.transformer_lm import TransformerLM
from tests.models.checks import (
    TARGETS,
    check_decoder,
    check_long,
    check_same_bits,
    model,
    weights64,
)
from tests.models.configs import TRANSFORMER_LM

LEARNED = {"positions": "learned", "position_layout": None, "position_offset": 2}


def check(config: dict[str, Any]) -> None:
    reference = TransformerLM(config, weights64(config))
    check_decoder(model(config), lambda i: reference.logits(TARGETS[i]))


@pytest.mark.parametrize("placement", ["pre", "post"])
@pytest.mark.parametrize("final_norm", [True, False])
@pytest.mark.parametrize("tied", [True, False])
def test_norms_and_output(placement: str, final_norm: bool, tied: bool) -> None:
    switches = {"norm_placement": placement, "final_norm": final_norm, "tied_output": tied}
    check(TRANSFORMER_LM | switches)
    check(TRANSFORMER_LM | switches | {"embedding_norm": True})


@pytest.mark.parametrize(
    "changes", [LEARNED, {"position_layout": "interleaved"}, {"scale_embeddings": False}]
)
def test_positions(changes: dict[str, Any]) -> None:
    check(TRANSFORMER_LM | changes)


@pytest.mark.parametrize("activation", ["relu", "gelu", "gelu_tanh", "silu"])
def test_activations(activation: str) -> None:
    check(TRANSFORMER_LM | {"activation": activation})


def test_long_sequences() -> None:
    check_long(
        model(TRANSFORMER_LM), TransformerLM(TRANSFORMER_LM, weights64(TRANSFORMER_LM)).logits
    )


def test_same_bits_in_any_company() -> None:
    check_same_bits(model(TRANSFORMER_LM | {"vocab_size": 500, "hidden_size": 192}))


def test_the_reference_gives_the_same_step_by_step() -> None:
    reference = TransformerLM(TRANSFORMER_LM, weights64(TRANSFORMER_LM))
    state = reference.initial_state()
    for token, expected in zip([1, 2, 3], reference.logits([1, 2, 3]), strict=True):
        logits, state = reference.step(token, state)
        np.testing.assert_allclose(logits, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_heads": 5}, "'num_heads' is 5, expected a divisor of 'hidden_size' 12"),
        ({"position_layout": None}, "'position_layout' is None with 'positions' 'sinusoidal'"),
        ({"tied_output": True}, r"left over, .*: 'lm_head\.weight'"),
    ],
)
def test_what_does_not_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        build(TRANSFORMER_LM | changes, random_weights(TRANSFORMER_LM, 0))
