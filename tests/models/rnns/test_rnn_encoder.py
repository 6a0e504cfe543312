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


STACKS = {
    "separate": {"separate_directions": True},
    "skip": {"skip_connections": True},
    "all": {"states": "all"},
    "elmo": {
        "cell": "lstm",
        "projection_size": 3,
        "cell_clip": 0.5,
        "projection_clip": 0.5,
        "separate_directions": True,
        "skip_connections": True,
        "states": "all",
    },
    "elmo, one direction": {
        "bidirectional": False,
        "separate_directions": True,
        "skip_connections": True,
    },
}


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("pooling", ["mean", "last", "first", "attention"])
def test_other_stacks(stack: str, pooling: str) -> None:
    config = RNN_ENCODER | STACKS[stack] | {"pooling": pooling, "num_layers": 3}
    reference, encoder = RnnEncoder(config, weights64(config)), model(config)
    for source in SOURCES:
        assert_close(encoder.hidden_states(source, [len(source)]), reference.hidden_states(source))
        vector = encoder.encode(source, [len(source)], pooling)
        assert_close(vector[0], reference.encode(source))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("stack", [{}, STACKS["separate"]])
def test_states_go_on_from_the_text_before(cell: str, stack: dict[str, object]) -> None:
    config = RNN_ENCODER | CELLS[cell] | stack
    reference, encoder = RnnEncoder(config, weights64(config)), model(config)
    state, carried = encoder.new_state(), None
    for source in SOURCES:
        expected, carried = reference.states_after(source, carried)
        assert_close(encoder.states_after(source, [len(source)], state), expected)


def test_carried_states_of_a_sentence_do_not_depend_on_the_others() -> None:
    encoder = model(RNN_ENCODER | {"cell": "lstm"})
    together, alone = encoder.new_state(3), [encoder.new_state() for _ in SOURCES]
    for order in (SOURCES, SOURCES[::-1]):  # the longest source is first or last
        lengths = [len(source) for source in order]
        states = encoder.states_after(np.concatenate(order), lengths, together)
        for i, part in enumerate(np.split(states, np.cumsum(lengths)[:-1])):
            one = encoder.states_after(order[i], [lengths[i]], alone[i])
            np.testing.assert_array_equal(part, one)


def test_forward_in_pieces_is_the_whole() -> None:
    encoder = model(RNN_ENCODER | {"bidirectional": False})
    ids, state = [1, 2, 3, 4, 5, 6], encoder.new_state()
    pieces = [
        encoder.states_after(part, [len(part)], state) for part in (ids[:1], ids[1:4], ids[4:])
    ]
    np.testing.assert_array_equal(np.concatenate(pieces), encoder.hidden_states(ids, [6]))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_same_bits(cell: str, precision: str) -> None:
    # large enough that two threads share the rows
    sizes = {"hidden_size": 200, "embedding_size": 64, "states": "all"}
    encoder = model(RNN_ENCODER | CELLS[cell] | sizes, precision)
    texts = [[int(i) for i in np.random.default_rng(n).integers(0, 13, n)] for n in (1, 7, 40)]
    encoder.num_threads = 1
    alone = [encoder.hidden_states(text, [len(text)]) for text in texts]
    for threads in (1, 2):
        encoder.num_threads = threads
        for order in ([0, 1, 2], [2, 0, 1]):
            lengths = [len(texts[i]) for i in order]
            together = encoder.hidden_states(np.concatenate([texts[i] for i in order]), lengths)
            for i, part in zip(order, np.split(together, np.cumsum(lengths)[:-1]), strict=True):
                assert part.tobytes() == alone[i].tobytes()


def test_states_that_do_not_fit_are_refused() -> None:
    encoder, other = model(RNN_ENCODER), model(RNN_ENCODER)
    with pytest.raises(InvalidArgument, match="state is of another model"):
        encoder.states_after([1], [1], other.new_state())
    with pytest.raises(InvalidArgument, match=r"lengths.shape\[0\] is 1, expected 2"):
        encoder.states_after([1], [1], encoder.new_state(2))
    with pytest.raises(InvalidArgument, match="sentences is 0, expected 1 to 2147483647"):
        encoder.new_state(0)


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
