"""Checks that the tests of every decoder share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.models import build
from attnengine.models.settings import BuildSettings
from attnengine.reference.random_weights import random_weights

Floats = NDArray[np.float64]

SOURCES = [[1, 2, 3, 4, 5], [6], [7, 8, 9]]
TARGETS = [[1, 2, 3], [4, 5, 6, 7], [8]]


def weights64(config: dict[str, Any]) -> dict[str, Floats]:
    return {name: w.astype(np.float64) for name, w in random_weights(config, 0).items()}


def model(
    config: dict[str, Any], precision: str = "float32", cache_precision: str = "float32"
) -> Any:
    settings = BuildSettings(precision=precision, cache_precision=cache_precision)
    return build(config, random_weights(config, 0), settings)


def encode(
    seq2seq: _core.Seq2Seq, sources: Sequence[list[int] | NDArray[np.int64]]
) -> _core.Encoded:
    return seq2seq.encode(np.concatenate(sources), [len(source) for source in sources])


def assert_close(actual: NDArray[Any], expected: NDArray[Any], relative: float = 5e-6) -> None:
    # Errors scale with the largest value of the step: float32 products round by about 1e-7 of it,
    # and a stack of layers multiplies that.
    scale = np.abs(expected).max()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=relative * scale)


def start(decoder: Any, count: int) -> tuple[_core.State, NDArray[np.int32]]:
    """A state with one sequence for each target."""
    state = decoder.new_state()
    if isinstance(decoder, _core.Seq2Seq):
        return state, state.add(encode(decoder, SOURCES[:count]))
    return state, state.add(count)


def check_decoder(
    decoder: Any, expected: Callable[[int], NDArray[Any]], relative: float = 5e-6
) -> None:
    """Prompts in one batch give the reference's logits, and the same bits one by one."""
    state, sequences = start(decoder, len(TARGETS))
    lengths = [len(target) for target in TARGETS]
    logits = decoder.step(np.concatenate(TARGETS), np.repeat(sequences, lengths), state).copy()
    for i, part in enumerate(np.split(logits, np.cumsum(lengths)[:-1])):
        assert_close(part, expected(i), relative)
        check_one_by_one(decoder, i, part)
    check_wanted_rows(decoder, logits)


def check_one_by_one(decoder: Any, i: int, expected: NDArray[np.float32]) -> None:
    state = decoder.new_state()
    if isinstance(decoder, _core.Seq2Seq):
        sequence = state.add(encode(decoder, [SOURCES[i]]))
    else:
        sequence = state.add(1)
    for token, row in zip(TARGETS[i], expected, strict=True):
        logits = decoder.step([token], sequence, state)
        np.testing.assert_array_equal(logits[0], row)
    assert state.length(int(sequence[0])) == len(TARGETS[i])


def check_wanted_rows(decoder: Any, expected: NDArray[np.float32]) -> None:
    state, sequences = start(decoder, len(TARGETS))
    want = np.arange(len(expected)) % 2 == 1
    rows = np.repeat(sequences, [len(target) for target in TARGETS])
    logits = decoder.step(np.concatenate(TARGETS), rows, state, want)
    np.testing.assert_array_equal(logits, expected[want])


def check_long(decoder: Any, expected: Callable[[list[int]], NDArray[Any]]) -> None:
    """Steps of 140, 129 and 65 tokens cross blocks of attention and chunks of the cache."""
    target = [int(t) for t in np.random.default_rng(0).integers(0, decoder.vocab_size, 140)]
    logits = expected(target)
    for length in (140, 129, 65):
        state, sequence = start(decoder, 1)
        part = decoder.step(target[:length], np.repeat(sequence, length), state)
        assert_close(part, logits[:length])


def check_same_bits(decoder: Any, lengths: tuple[int, ...] = (1, 7, 40)) -> None:
    """A prompt has the same bits alone, in a batch, token by token, and with 1 or 2 threads."""
    rng = np.random.default_rng(0)
    prompts = [rng.integers(0, decoder.vocab_size, length) for length in lengths]
    sources = [rng.integers(0, decoder.vocab_size, length) for length in lengths]
    decoder.num_threads = 1
    expected = [run_together(decoder, [p], [s])[0] for p, s in zip(prompts, sources, strict=True)]
    for threads in (1, 2):
        decoder.num_threads = threads
        together = run_together(decoder, prompts, sources)
        for prompt, source, beside, alone in zip(prompts, sources, together, expected, strict=True):
            assert beside.tobytes() == alone.tobytes()
            state, sequence = start_with(decoder, [source])
            rows = [decoder.step([token], sequence, state)[0].copy() for token in prompt]
            assert np.stack(rows).tobytes() == alone.tobytes()


def run_together(
    decoder: Any, prompts: list[NDArray[np.int64]], sources: list[NDArray[np.int64]]
) -> list[NDArray[np.float32]]:
    """Logits of every prompt, computed in one step."""
    state, sequences = start_with(decoder, sources)
    lengths = [len(prompt) for prompt in prompts]
    logits = decoder.step(np.concatenate(prompts), np.repeat(sequences, lengths), state).copy()
    return np.split(logits, np.cumsum(lengths)[:-1])


def start_with(
    decoder: Any, sources: list[NDArray[np.int64]]
) -> tuple[_core.State, NDArray[np.int32]]:
    """A state with one sequence per source; a model without encoder uses only their number."""
    state = decoder.new_state()
    if isinstance(decoder, _core.Seq2Seq):
        return state, state.add(encode(decoder, sources))
    return state, state.add(len(sources))
