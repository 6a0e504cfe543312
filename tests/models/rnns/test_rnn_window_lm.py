from __future__ import annotations

import pytest

from attnengine import _core
from attnengine.errors import FormatError
from attnengine.reference.rnn_window_lm import RnnWindowLM
from tests.models.checks import TARGETS, check_decoder, check_same_bits, model, weights64
from tests.models.configs import CELLS, RNN_WINDOW_LM


@pytest.mark.parametrize("cell", ["gru", "lstm, hard", "lstm, projection"])
@pytest.mark.parametrize("states", ["top", "all"])
@pytest.mark.parametrize("padding", [None, 2])
@pytest.mark.parametrize("pooling", ["attention", "last"])
@pytest.mark.parametrize("window", [1, 3, 40])
def test_matches_the_reference(
    cell: str, states: str, padding: int | None, pooling: str, window: int
) -> None:
    switches = {"states": states, "pooling": pooling, "bidirectional": pooling == "last"}
    sizes = {"window": window, "window_padding_id": padding}
    config = RNN_WINDOW_LM | CELLS[cell] | switches | sizes
    reference = RnnWindowLM(config, weights64(config))
    check_decoder(model(config), lambda i: reference.logits(TARGETS[i]))


def test_same_bits() -> None:
    # more rows than one call encodes, and large enough that two threads share them
    config = RNN_WINDOW_LM | {"cell": "lstm", "hidden_size": 100, "window": 9}
    check_same_bits(model(config))


def test_a_sequence_can_go_back_anywhere() -> None:
    decoder = model(RNN_WINDOW_LM)
    state = decoder.new_state()
    (sequence,) = state.add(1)
    first = decoder.step([1, 2, 3, 4], [sequence] * 4, state).copy()
    state.truncate(int(sequence), 2)
    again = decoder.step([3, 4], [sequence] * 2, state)
    assert again.tobytes() == first[2:].tobytes()


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        ({"window": 0}, "'window' is 0, expected an integer, 1 or more"),
        ({"window_padding_id": 13}, r"padding\[0\] is 13, expected 0 to 12"),
        ({"states": "both"}, "'states' is 'both', expected one of 'top', 'all'"),
    ],
)
def test_what_does_not_fit(switches: dict[str, object], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        model(RNN_WINDOW_LM | switches)


def test_pooling_without_a_query() -> None:
    with pytest.raises(ValueError, match="expected a model with a pooling query"):
        _core.WindowDecoder(
            encoder=_core.RnnEncoder(
                embedding=_core.Embedding([[1.0]]),
                layers=[_core.RnnLayer(forward=_elman())],
            ),
            output=_core.Linear([[1.0]]),
            window=2,
            pooling="attention",
        )


def _elman() -> _core.ElmanCell:
    return _core.ElmanCell(input=_core.Linear([[1.0]]), recurrent=_core.Linear([[1.0]]))
