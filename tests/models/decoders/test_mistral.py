from __future__ import annotations

import pytest

from attnengine.reference.decoder_only import DecoderOnly
from tests.models.checks import (
    TARGETS,
    check_decoder,
    check_long,
    check_same_bits,
    model,
    weights64,
)
from tests.models.configs import MISTRAL


@pytest.mark.parametrize("window", [None, 1, 2, 100])
def test_windows_match_the_reference(window: int | None) -> None:
    config = MISTRAL | {"sliding_window": window}
    reference = DecoderOnly(config, weights64(config))
    check_decoder(model(config), lambda i: reference.logits(TARGETS[i]))
    check_long(model(config), reference.logits)


def test_same_bits_in_any_company() -> None:
    # Large enough that two threads share the work; the window ends inside a block of attention.
    sizes = {"vocab_size": 500, "hidden_size": 256, "intermediate_size": 688}
    check_same_bits(model(MISTRAL | sizes | {"num_attention_heads": 8, "sliding_window": 30}))
