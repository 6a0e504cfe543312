"""The methods of a state: shared pages, dropped sequences and errors."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from attnengine.errors import Error, InvalidArgument
from tests.models.checks import SOURCES, encode, model, start
from tests.models.configs import RNN_LM, RNN_SEQ2SEQ, TRANSFORMER

DECODERS: dict[str, dict[str, Any]] = {
    "rnn": {"config": RNN_SEQ2SEQ},
    "transformer": {"config": TRANSFORMER},
    "transformer, float16": {"config": TRANSFORMER, "cache_precision": "float16"},
    "transformer, int8": {"config": TRANSFORMER, "cache_precision": "int8"},
    "language model": {"config": RNN_LM},
}


@pytest.fixture(params=DECODERS)
def decoder(request: pytest.FixtureRequest) -> Any:
    return model(**DECODERS[request.param])


def feed(decoder: Any, tokens: list[int], source: int = 0) -> NDArray[np.float32]:
    """Logits after the last of `tokens`, in a new state."""
    state, sequences = start(decoder, source + 1)
    rows = np.repeat(sequences[source], len(tokens))
    return np.array(decoder.step(tokens, rows, state)[-1])


def test_reordered_beams_have_the_history_of_their_parents(decoder: Any) -> None:
    state, sequences = start(decoder, 2)
    rng = np.random.default_rng(1)
    tokens = [[int(t)] for t in rng.integers(0, 13, 2)]
    sources = [0, 1]
    for _ in range(70):  # more than a chunk of slots and several pages
        logits = decoder.step([t[-1] for t in tokens], sequences, state).copy()
        parents = [int(p) for p in rng.integers(0, len(tokens), 5)]
        last = logits[parents]
        sequences = state.reorder(sequences, parents)
        histories = [tokens[p] for p in parents]
        sources = [sources[p] for p in parents]
        tokens = [
            [*history, int(t)]
            for history, t in zip(histories, rng.integers(0, 13, 5), strict=False)
        ]
    for row, history, source in zip(last, histories, sources, strict=True):
        np.testing.assert_array_equal(row, feed(decoder, history, source))
    assert state.live == 5
    state.drop(sequences)
    assert state.live == 0


def test_fork_shares_the_past_and_goes_its_own_way(decoder: Any) -> None:
    state, sequences = start(decoder, 1)
    decoder.step([1, 2], np.repeat(sequences, 2), state)
    child = state.fork(sequences)
    logits = decoder.step([3, 4], [child[0], sequences[0]], state)
    np.testing.assert_array_equal(logits[0], feed(decoder, [1, 2, 3]))
    np.testing.assert_array_equal(logits[1], feed(decoder, [1, 2, 4]))
    state.drop(sequences)
    np.testing.assert_array_equal(decoder.step([5], child, state)[0], feed(decoder, [1, 2, 3, 5]))


def test_truncate_goes_back_to_a_fork_or_to_the_start(decoder: Any) -> None:
    state, sequences = start(decoder, 1)
    sequence = int(sequences[0])
    decoder.step([1, 2], np.repeat(sequences, 2), state)
    state.fork(sequences)
    decoder.step([3, 4], np.repeat(sequences, 2), state)
    state.truncate(sequence, 2)
    np.testing.assert_array_equal(decoder.step([5], sequences, state)[0], feed(decoder, [1, 2, 5]))
    state.truncate(sequence, 0)
    np.testing.assert_array_equal(decoder.step([6], sequences, state)[0], feed(decoder, [6]))


def test_an_rnn_cannot_go_back_where_no_fork_stands() -> None:
    decoder = model(RNN_LM)
    state = decoder.new_state()
    sequences = state.add(1)
    decoder.step([1, 2, 3], np.repeat(sequences, 3), state)
    with pytest.raises(InvalidArgument, match="cannot go back to 2: no fork stands there"):
        state.truncate(0, 2)
    child = state.fork(sequences)
    decoder.step([4], child, state)
    decoder.step([5], sequences, state)  # no sequence has length 3 any more
    with pytest.raises(InvalidArgument, match="cannot go back to 3"):
        state.truncate(0, 3)
    assert state.length(0) == 4


def test_a_transformer_goes_back_anywhere() -> None:
    decoder = model(TRANSFORMER)
    state, sequences = start(decoder, 1)
    decoder.step([1, 2, 3], np.repeat(sequences, 3), state)
    state.truncate(int(sequences[0]), 1)
    np.testing.assert_array_equal(decoder.step([5], sequences, state)[0], feed(decoder, [1, 5]))


@pytest.mark.parametrize("cache_precision", ["float32", "float16", "int8"])
@pytest.mark.parametrize("length", [1, 15, 16, 17, 33])
def test_a_shared_page_is_not_written_to(length: int, cache_precision: str) -> None:
    decoder = model(TRANSFORMER, cache_precision=cache_precision)
    past = [t % 13 for t in range(length)]
    state, sequences = start(decoder, 1)
    decoder.step(past, np.repeat(sequences, length), state)
    children = state.fork(np.repeat(sequences, 2))
    everyone = [*sequences, *children]
    for token, sequence in enumerate(everyone):  # in one step per sequence
        decoder.step([token], [sequence], state)
    state.truncate(int(children[0]), length // 2)
    logits = decoder.step([7, 8, 9], everyone, state)
    for row, tokens in enumerate(([*past, 0, 7], [*past[: length // 2], 8], [*past, 2, 9])):
        np.testing.assert_array_equal(logits[row], feed(decoder, tokens))


@pytest.mark.parametrize(
    ("tokens", "rows", "message"),
    [
        ([13], [0], r"tokens\[0\] is 13, expected 0 to 12"),
        ([-1], [0], r"tokens\[0\] is -1"),
        ([1], [7], r"sequences\[0\] is 7, which is no live sequence"),
        ([1, 1, 1], [0, 1, 0], r"sequences\[2\] is 0 again: the rows of a sequence must be adj"),
        ([1, 1], [0], r"sequences.shape\[0\] is 1, expected 2"),
    ],
)
def test_a_bad_step_changes_nothing(
    decoder: Any, tokens: list[int], rows: list[int], message: str
) -> None:
    state, _ = start(decoder, 2)
    with pytest.raises(InvalidArgument, match=message):
        decoder.step(tokens, rows, state)
    assert state.length(0) == 0
    np.testing.assert_array_equal(decoder.step([1], [0], state)[0], feed(decoder, [1]))


def test_verbs_check_their_sequences(decoder: Any) -> None:
    state, sequences = start(decoder, 2)
    with pytest.raises(InvalidArgument, match=r"parents\[0\] is 2, expected 0 to 1"):
        state.reorder(sequences, [2])
    with pytest.raises(InvalidArgument, match="stands there twice"):
        state.drop([sequences[0], sequences[0]])
    with pytest.raises(InvalidArgument, match="no live sequence"):
        state.fork([99])
    with pytest.raises(InvalidArgument, match="length is 1, expected 0 to 0"):
        state.truncate(int(sequences[0]), 1)
    with pytest.raises(InvalidArgument, match="state belongs to another model"):
        model(RNN_LM).step([1], [0], state)
    assert state.live == 2


def test_add_wants_what_the_model_has() -> None:
    language_model, seq2seq = model(RNN_LM), model(RNN_SEQ2SEQ)
    with pytest.raises(InvalidArgument, match="expected a number of sequences"):
        language_model.new_state().add(encode(seq2seq, SOURCES))
    with pytest.raises(InvalidArgument, match="expected encoded"):
        seq2seq.new_state().add(2)
    with pytest.raises(InvalidArgument, match="count is -1"):
        language_model.new_state().add(-1)


def test_encoded_belongs_to_one_decoder() -> None:
    seq2seq, other = model(RNN_SEQ2SEQ), model(TRANSFORMER)
    for mine, theirs in ((seq2seq, other), (other, seq2seq), (seq2seq, model(RNN_SEQ2SEQ))):
        with pytest.raises(InvalidArgument, match="encoded comes from another model"):
            mine.new_state().add(encode(theirs, SOURCES))


def test_a_state_outlives_its_decoder_but_serves_no_other() -> None:
    for _ in range(20):  # the next decoder often reuses the previous one's memory
        decoder = model(RNN_LM)
        state, sequences = start(decoder, 1)
        del decoder
        with pytest.raises(InvalidArgument, match="state belongs to another model"):
            model(RNN_LM | {"hidden_size": 100}).step([1], sequences, state)


def test_a_state_belongs_to_one_thread_at_a_time() -> None:
    decoder = model(RNN_LM)
    state, sequences = start(decoder, 2)
    tokens = np.ones(50_000, np.int32)  # takes about 100 ms
    rows, want = np.full(tokens.size, sequences[0]), np.zeros(tokens.size, bool)
    long_step = threading.Thread(target=decoder.step, args=(tokens, rows, state, want))
    refused = {}
    calls = {"step": lambda: decoder.step([1], sequences[1:], state), "add": lambda: state.add(1)}
    long_step.start()
    while long_step.is_alive():
        for name, call in calls.items():
            try:
                call()
            except Error as error:
                refused[name] = str(error)
    assert refused.keys() == calls.keys()
    assert all("in use by another thread" in message for message in refused.values())
    assert state.length(int(sequences[0])) == tokens.size
    state.drop(sequences)


def test_logits_of_an_earlier_step_stay_readable(decoder: Any) -> None:
    state, sequences = start(decoder, 1)
    logits = decoder.step([1], sequences, state)
    decoder.step([2] * 100, np.repeat(sequences, 100), state)
    assert np.isfinite(logits).all()  # the memory exists, overwritten or not


def test_no_rows_give_no_logits(decoder: Any) -> None:
    state, _ = start(decoder, 1)
    assert decoder.step([], [], state).shape == (0, 13)


def test_attention_must_be_asked_for() -> None:
    decoder = model(RNN_SEQ2SEQ)
    state, sequences = start(decoder, 1)
    decoder.step([1], sequences, state)
    with pytest.raises(InvalidArgument, match="set keep_alignment before the step"):
        _ = state.attention


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_gets_an_error_instead_of_hanging() -> None:
    decoder = model(RNN_LM | {"hidden_size": 512, "vocab_size": 4000})  # enough for two threads
    decoder.num_threads = 2
    state, sequences = start(decoder, 1)
    decoder.step([1], sequences, state)
    child = os.fork()
    if child == 0:
        try:
            decoder.step([1], sequences, state)
        except Error as error:
            os._exit(7 if "spawn" in str(error) else 1)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_do_not_change_bits(threads: int) -> None:
    # so wide that most products of a 40-token prompt use several threads
    config = TRANSFORMER | {"hidden_size": 96, "intermediate_size": 384, "target_vocab_size": 997}
    decoder = model(config)
    tokens = list(range(40))
    expected = feed(decoder, tokens)
    decoder.num_threads = threads
    np.testing.assert_array_equal(feed(decoder, tokens), expected)


@pytest.mark.parametrize("threads", [0, 1025])
def test_threads_are_limited(threads: int) -> None:
    decoder = model(RNN_LM)
    with pytest.raises(InvalidArgument, match=f"num_threads is {threads}, expected 1 to 1024"):
        decoder.num_threads = threads
