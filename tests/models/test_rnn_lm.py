from __future__ import annotations

import pytest

from attnengine.reference.rnn_lm import RnnLM
from tests.models.checks import TARGETS, check_decoder, model, weights64
from tests.models.configs import RNN_LM


@pytest.mark.parametrize(
    ("nonlinearity", "cell"),
    [("tanh", "elman"), ("relu", "elman"), ("tanh", "gru"), ("tanh", "lstm")],
)
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("tied", [True, False])
def test_matches_the_reference(cell: str, nonlinearity: str, num_layers: int, tied: bool) -> None:
    config = RNN_LM | {
        "cell": cell,
        "nonlinearity": nonlinearity,
        "num_layers": num_layers,
        "tied_output": tied,
    }
    reference = RnnLM(config, weights64(config))
    check_decoder(model(config), lambda i: reference.logits(TARGETS[i]))
