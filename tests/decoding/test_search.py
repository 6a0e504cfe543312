from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from attnengine import _core
from attnengine.errors import InvalidArgument
from tests.decoding.searches import make_search, new_sentences

SENTENCES = 24
VOCAB_SIZE = 11


@pytest.fixture(params=["candidates", "optimal", "wide", "sampling", "top_k"])
def options(request: Any, beam_options: Any, sampling_options: Any) -> Any:
    return {
        "candidates": lambda: beam_options(end_tokens=[0, 4], rules_of={"min_new_tokens": 1}),
        "optimal": lambda: beam_options(stopping="optimal", length_penalty=0.6),
        "wide": lambda: beam_options(beam_size=64, num_candidates=80, num_hypotheses=70),
        "sampling": lambda: sampling_options(num_hypotheses=4),
        "top_k": lambda: sampling_options(num_hypotheses=3, top_k=5, temperature=0.7),
    }[request.param]()


def run(
    options: Any, tables: list[Any], lengths: list[int], drive: Any, num_threads: int = 1
) -> Any:
    search = make_search(options, [1] * len(tables), lengths, VOCAB_SIZE, num_threads)
    return drive(search, tables)


def found(search: Any, sentence: int, everything: Any) -> Any:
    """All results of one sentence, for comparison bit for bit."""
    arrays = [array.tobytes() for array in search.tree(sentence)]
    return everything(search.hypotheses(sentence)), search.stable(sentence), arrays


def test_a_result_does_not_depend_on_the_batch(
    options: Any, make_table: Any, drive: Any, everything: Any
) -> None:
    tables = [make_table(seed, VOCAB_SIZE) for seed in range(SENTENCES)]
    lengths = [1 + seed % 7 for seed in range(SENTENCES)]
    alone = [
        found(run(options, [table], [length], drive), 0, everything)
        for table, length in zip(tables, lengths, strict=True)
    ]
    for num_threads in (1, 2):
        for order in (range(SENTENCES), np.random.default_rng(0).permutation(SENTENCES)):
            search = run(
                options, [tables[i] for i in order], [lengths[i] for i in order], drive, num_threads
            )
            for place, i in enumerate(order):
                assert found(search, place, everything) == alone[i]


@pytest.mark.parametrize("kind", ["beam", "sampling"])
def test_threads_change_no_bit(kind: str, beam_options: Any, sampling_options: Any) -> None:
    # large enough that threads share the kernel, the sentences and the draws
    options = (
        beam_options(beam_size=40, num_candidates=200)
        if kind == "beam"
        else sampling_options(num_hypotheses=16, end_tokens=[])
    )
    rng = np.random.default_rng(0)
    table = rng.normal(size=(3000, 3000)).astype(np.float32)
    trees = []
    for sentences, num_threads in ((50, 1), (50, 2), (1, 1), (1, 2)):
        search = make_search(options, [7] * sentences, [4] * sentences, 3000, num_threads)
        while not search.done:
            search.advance(table[search.tokens])
        trees.append([array.tobytes() for array in search.tree(0)])
    assert all(tree == trees[0] for tree in trees)


def test_rows_name_their_sentence_and_their_parent(
    make_table: Any, drive: Any, beam_options: Any
) -> None:
    options = beam_options(num_hypotheses=2, end_tokens=np.array([0]))
    starts = np.array([5, 6, 7], np.int32)
    search = make_search(options, starts, np.array([1, 6, 3], np.int64), VOCAB_SIZE)
    assert search.tokens.tolist() == [5, 6, 7]
    assert search.parents.tolist() == search.sentences.tolist() == [0, 1, 2]
    for array in (search.tokens, search.parents, search.sentences):
        assert array.dtype == np.int32
    assert not search.done

    before = [search.sentences]

    def check() -> None:
        sentences = search.sentences
        assert (np.diff(sentences) >= 0).all()
        assert (before[-1][search.parents] == sentences).all()
        for i in range(3):
            assert search.finished(i) == (i not in sentences)
        before.append(sentences)

    drive(search, [make_table(i, VOCAB_SIZE) for i in range(3)], check)
    assert all(search.finished(i) for i in range(3))
    assert 0 not in before[2]  # at most one token


def test_a_sentence_without_new_tokens_has_no_row(
    make_table: Any, drive: Any, beam_options: Any, everything: Any
) -> None:
    tables = [make_table(seed, VOCAB_SIZE) for seed in range(3)]
    search = make_search(beam_options(), [1, 2, 1], [3, 0, 3], VOCAB_SIZE)
    assert search.sentences.tolist() == search.parents.tolist() == [0, 2]
    assert search.finished(1)
    drive(search, tables)
    (empty,) = search.hypotheses(1)
    assert (empty.tokens, empty.score, empty.finish_reason) == ([], 0, "length")
    alone = run(beam_options(), [tables[2]], [3], drive)
    assert everything(search.hypotheses(2)) == everything(alone.hypotheses(0))


def test_no_sentences_are_done_at_once(beam_options: Any) -> None:
    search = make_search(beam_options(), [], [], VOCAB_SIZE)
    assert search.done
    assert search.tokens.shape == (0,)


@pytest.mark.parametrize("optimal", [False, True])
@pytest.mark.parametrize(("beam_size", "streamed"), [(1, 20), (3, 5), (6, 1)])
def test_what_is_stable_is_never_taken_back(
    optimal: bool,
    beam_size: int,
    streamed: int,
    make_table: Any,
    drive: Any,
    beam_options: Any,
) -> None:
    grown = 0
    for seed in range(40):
        options = beam_options(
            beam_size=beam_size,
            num_candidates=beam_size,
            num_hypotheses=1 + seed % beam_size,
            stopping="optimal" if optimal else "candidates",
        )
        search = make_search(options, [1], [12], 6)
        parts = stable_parts(search, make_table(seed, 6, sharpness=6), drive)
        assert parts[0] == []
        assert parts[-1] == search.hypotheses(0)[0].tokens
        for shorter, longer in itertools.pairwise(parts):
            assert longer[: len(shorter)] == shorter
        grown += any(parts[:-1])
    assert grown > streamed  # something is streamed before the end


def stable_parts(search: Any, table: Any, drive: Any) -> list[list[int]]:
    parts: list[list[int]] = []
    drive(search, [table], lambda: parts.append(search.stable(0)))
    return [*parts, search.stable(0)]


def test_stable_of_one_sample_is_all_of_it(
    make_table: Any, drive: Any, sampling_options: Any
) -> None:
    search = make_search(sampling_options(end_tokens=[]), [1], [9], VOCAB_SIZE)
    sizes: list[int] = []
    drive(search, [make_table(0, VOCAB_SIZE)], lambda: sizes.append(len(search.stable(0))))
    assert sizes == list(range(9))


def test_bad_logits_name_the_sentence_and_change_nothing(
    options: Any, make_table: Any, drive: Any, everything: Any
) -> None:
    tables = [make_table(seed, VOCAB_SIZE) for seed in range(3)]
    search = make_search(options, [1] * 3, [4] * 3, VOCAB_SIZE)
    seen = 0

    def spoil() -> None:
        nonlocal seen
        rows, sentences = len(search.tokens), search.sentences.tolist()
        logits = np.zeros((rows, VOCAB_SIZE), np.float32)
        logits[rows - 1, 0] = np.nan
        before = search.tokens.tolist()
        with pytest.raises(InvalidArgument) as raised:
            search.advance(logits)
        place = f"sentence {sentences[-1]} (row {rows - 1}, token 0, step {seen})"
        assert f"the logits of {place} hold NaN" in str(raised.value)
        assert search.tokens.tolist() == before
        seen += 1

    drive(search, tables, spoil)
    assert seen > 1
    clean = run(options, tables, [4] * 3, drive)
    for i in range(3):
        assert found(search, i, everything) == found(clean, i, everything)


def test_sentences_join_and_leave(
    options: Any, make_table: Any, drive: Any, everything: Any
) -> None:
    tables = [make_table(seed, VOCAB_SIZE) for seed in range(SENTENCES)]
    lengths = [1 + seed % 7 for seed in range(SENTENCES)]
    numbers = [(7 * i) % SENTENCES for i in range(SENTENCES)]  # shuffled
    search = make_search(options, [], [], VOCAB_SIZE)
    rows: list[tuple[int, tuple[int, ...]]] = []  # sentence and prefix of each
    waiting, results = list(numbers), {}
    while waiting or not search.done:
        if waiting:
            new, waiting = waiting[: 1 + len(waiting) % 3], waiting[1 + len(waiting) % 3 :]
            starts = [1] * len(new)
            search.add(new_sentences(options, starts, [lengths[i] for i in new], new))
            rows += [(i, ()) for i in new]
        assert search.sentences.tolist() == [i for i, _ in rows]
        assert search.lengths.tolist() == [len(prefix) for _, prefix in rows]
        search.advance(np.array([tables[i](prefix) for i, prefix in rows]))
        parents = [rows[parent] for parent in search.parents]
        rows = [
            (i, (*prefix, token))
            for (i, prefix), token in zip(parents, search.tokens.tolist(), strict=True)
        ]
        for i in search.ended:
            results[i] = found(search, i, everything)
            search.drop(i)
        assert search.ended == []
    for i, (table, length) in enumerate(zip(tables, lengths, strict=True)):
        assert results[i] == found(run(options, [table], [length], drive), 0, everything)


def test_what_cannot_join_or_leave(beam_options: Any) -> None:
    options = beam_options()
    search = make_search(options, [1, 1], [2, 0], VOCAB_SIZE)
    for starts, numbers, message in (
        ([1], [1], "sentence 1 is added twice, expected a number that no other"),
        ([1, 1], [2, 2], "sentence 2 is added twice, expected a number that no other"),
        ([1], [-1], "the number of a sentence is -1, expected at least 0"),
        ([1, 11], [2, 3], "start token of sentence 3 is 11, expected a token of the"),
    ):
        with pytest.raises(InvalidArgument, match=message):
            search.add(new_sentences(options, starts, [1] * len(starts), numbers))
    without = _core.NewSentence(number=2, options=options, past=[], max_new_tokens=1)
    with pytest.raises(InvalidArgument, match="past of sentence 2 is empty, expected a start"):
        search.add([without])
    foreign = _core.NewSentence(number=2, options=options, past=[-1, 1], max_new_tokens=1)
    with pytest.raises(InvalidArgument, match="a token of past of sentence 2 is -1, expected a"):
        search.add([foreign])
    with pytest.raises(InvalidArgument, match="sentence 0 has live hypotheses"):
        search.drop(0)
    search.drop(1)
    with pytest.raises(InvalidArgument, match="sentence is 1, expected the number of a sentence"):
        search.drop(1)
    assert search.sentences.tolist() == [0]


@pytest.mark.parametrize("sentence", [-1, 2, 2**40])
def test_a_sentence_out_of_range_is_an_error(sentence: int, beam_options: Any) -> None:
    search = make_search(beam_options(), [1, 1], [2, 2], VOCAB_SIZE)
    for ask in (search.hypotheses, search.tree, search.finished, search.stable):
        with pytest.raises(InvalidArgument, match=f"sentence is {sentence}, expected the number"):
            ask(sentence)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"starts": [1, 11]}, "start token of sentence 1 is 11, expected a token of the voc"),
        ({"starts": [-1, 1]}, "start token of sentence 0 is -1, expected a token of the voc"),
        ({"lengths": [1, -1]}, "max_new_tokens of sentence 1 is -1, expected at least 0"),
        ({"vocab_size": 0}, "vocab_size is 0, expected at least 1"),
        ({"num_threads": 0}, "num_threads is 0, expected 1 to 1024"),
        ({"vocab_size": 3}, "a token of end_tokens is 4, expected a token of the vocabulary: 0 to"),
    ],
)
def test_arguments_are_checked(changes: dict[str, Any], message: str, beam_options: Any) -> None:
    arguments = {"starts": [1, 1], "lengths": [2, 2], "vocab_size": 11}
    with pytest.raises(InvalidArgument, match=message):
        make_search(beam_options(end_tokens=[4]), **{**arguments, **changes})


@pytest.mark.parametrize("tokens", [[1.5], np.array([1.5]), np.array([1.5], np.float32), [[1]]])
def test_tokens_must_be_integers(tokens: Any, beam_options: Any) -> None:
    with pytest.raises(TypeError):
        make_search(beam_options(), tokens, [1], VOCAB_SIZE)
    with pytest.raises(TypeError):
        beam_options(end_tokens=tokens)


def test_logits_must_fit_the_vocabulary(beam_options: Any) -> None:
    search = make_search(beam_options(), [1], [2], VOCAB_SIZE)
    with pytest.raises(InvalidArgument, match=r"logits.shape\[1\] is 10, expected 11"):
        search.advance(np.zeros((1, 10), np.float32))


def test_each_sentence_has_options_of_its_own(
    make_table: Any, drive: Any, beam_options: Any, sampling_options: Any, everything: Any
) -> None:
    kinds = [
        beam_options(beam_size=5, num_hypotheses=5),
        beam_options(beam_size=1, num_hypotheses=1, end_tokens=[4]),
        sampling_options(num_hypotheses=3, temperature=0.8),
        beam_options(stopping="optimal", rules_of={"suppress": [2, 3]}),
        sampling_options(rules_of={"min_new_tokens": 2, "suppress_first": [1]}),
    ]
    mixed = [kinds[i % len(kinds)] for i in range(SENTENCES)]
    tables = [make_table(seed, VOCAB_SIZE) for seed in range(SENTENCES)]
    lengths = [1 + seed % 7 for seed in range(SENTENCES)]
    alone = [
        found(run(one, [table], [length], drive), 0, everything)
        for one, table, length in zip(mixed, tables, lengths, strict=True)
    ]
    for num_threads in (1, 2):
        search = make_search(mixed, [1] * SENTENCES, lengths, VOCAB_SIZE, num_threads)
        drive(search, tables)
        assert [found(search, i, everything) for i in range(SENTENCES)] == alone


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_sentence_that_fails_fails_alone(
    bad: float, options: Any, make_table: Any, drive: Any, everything: Any
) -> None:
    def model(tokens: tuple[int, ...]) -> Any:  # of sentence 1, which fails in its third step
        logits = np.zeros(VOCAB_SIZE, np.float32)
        logits[[0, 4]] = -np.inf  # nothing ends before
        if len(tokens) == 2:
            logits[:] = bad
        return logits

    tables = [make_table(0, VOCAB_SIZE), model, make_table(2, VOCAB_SIZE)]
    search = make_search(options, [1] * 3, [6] * 3, VOCAB_SIZE, fail_apart=True)
    drive(search, tables)
    ((number, reason),) = search.failed
    assert number == 1
    expected = "is forbidden at step 2" if bad == -np.inf else "step 2) hold "
    assert expected in reason
    assert search.ended == [0, 2]
    for i in (0, 2):
        alone = run(options, [tables[i]], [6], drive)
        assert found(search, i, everything) == found(alone, 0, everything)
    search.drop(1)
    assert search.failed == []


def test_logits_that_rules_edit_are_given_back(beam_options: Any) -> None:
    options = beam_options(
        rules_of={"min_new_tokens": 2, "suppress": [3, 5], "suppress_first": [3, 6]}
    )
    search = make_search(options, [1, 1], [4, 4], VOCAB_SIZE)
    rng = np.random.default_rng(0)
    while not search.done:
        logits = rng.normal(size=(len(search.tokens), VOCAB_SIZE)).astype(np.float32)
        logits[:, 5] = -np.inf
        before = logits.tobytes()
        search.advance(logits)
        assert logits.tobytes() == before
        assert not {3, 5} & {*search.tokens.tolist()}
