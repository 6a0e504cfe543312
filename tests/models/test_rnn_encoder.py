from __future__ import annotations

import numpy as np
import pytest

from attnengine.errors import InvalidArgument
from attnengine.reference.rnn_encoder import RnnEncoder
from tests.models.checks import SOURCES, assert_close, model, weights64
from tests.models.configs import CELLS, RNN_ENCODER


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("pooling", ["mean", "max", "last", "first", "attention"])
def test_matches_the_reference(cell: str, bidirectional: bool, pooling: str) -> None:
    switches = {"bidirectional": bidirectional, "pooling": pooling}
    config = RNN_ENCODER | CELLS[cell] | switches
    reference = RnnEncoder(config, weights64(config))
    encoder = model(config)
    lengths = [len(source) for source in SOURCES]

    states = encoder.hidden_states(np.concatenate(SOURCES), lengths)
    pooled = encoder.encode(np.concatenate(SOURCES), lengths, pooling)

    for i, part in enumerate(np.split(states, np.cumsum(lengths)[:-1])):
        assert_close(part, reference.hidden_states(SOURCES[i]))
        assert_close(pooled[i], reference.encode(SOURCES[i]))
        alone = encoder.encode(SOURCES[i], [lengths[i]], pooling)
        np.testing.assert_array_equal(pooled[i], alone[0])


def test_bad_input_is_named() -> None:
    encoder = model(RNN_ENCODER)
    with pytest.raises(InvalidArgument, match=r"tokens\[1\] is 13, expected 0 to 12"):
        encoder.hidden_states([1, 13], [2])
    with pytest.raises(InvalidArgument, match=r"lengths\[1\] is 0, expected 1 to the 1 tokens"):
        encoder.hidden_states([1, 2], [1, 0])
    with pytest.raises(InvalidArgument, match="the sum of lengths is 1, expected 2"):
        encoder.hidden_states([1, 2], [1])
    with pytest.raises(
        InvalidArgument, match='pooling is "best", expected one of mean, max, first'
    ):
        encoder.encode([1], [1], "best")
    with pytest.raises(InvalidArgument, match="expected a model with a pooling query"):
        encoder.encode([1], [1], "attention")
