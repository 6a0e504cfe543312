from __future__ import annotations

import pytest

from attnengine.errors import FormatError
from attnengine.reference.rnn_lm import RnnLM
from tests.models.checks import TARGETS, check_decoder, check_same_bits, model, weights64
from tests.models.configs import CELLS, RNN_LM


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("num_layers", [1, 3])
def test_matches_the_reference(cell: str, num_layers: int) -> None:
    config = RNN_LM | CELLS[cell] | {"num_layers": num_layers}
    reference = RnnLM(config, weights64(config))
    check_decoder(model(config), lambda i: reference.logits(TARGETS[i]))


@pytest.mark.parametrize("switches", [{}, {"projection_size": 10, "hidden_size": 12}])
def test_tied_output(switches: dict[str, int]) -> None:
    config = RNN_LM | switches | {"tied_output": True}
    reference = RnnLM(config, weights64(config))
    check_decoder(model(config), lambda i: reference.logits(TARGETS[i]))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_same_bits(cell: str, precision: str) -> None:
    # large enough that two threads share the rows
    config = RNN_LM | CELLS[cell] | {"hidden_size": 200, "embedding_size": 64}
    check_same_bits(model(config, precision))


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        ({"reset": "before"}, "'reset' is 'before', expected 'after' for cell 'lstm'"),
        ({"cell": "gru", "peepholes": True}, "'peepholes' is True, expected False for cell 'gru'"),
        ({"cell": "gru", "cell_clip": 1}, "'cell_clip' is 1.0, expected None for cell 'gru'"),
        (
            {"cell": "elman", "gate_activation": "hard_sigmoid"},
            "'gate_activation' is 'hard_sigmoid', expected 'sigmoid' for cell 'elman'",
        ),
        ({"projection_clip": 2}, "'projection_clip' is 2.0, expected null without"),
        ({"cell_clip": 0}, "'cell_clip' is 0, expected a number above 0"),
        ({"reset": "never"}, "'reset' is 'never', expected one of 'after', 'before'"),
        (
            {"tied_output": True, "projection_size": 4},
            "'tied_output' is true with 'embedding_size' 10 and 'projection_size' 4",
        ),
    ],
)
def test_switches_that_contradict_each_other(switches: dict[str, object], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        model(RNN_LM | switches)
