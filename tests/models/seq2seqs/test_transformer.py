from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from attnengine.errors import FormatError, InvalidArgument
from attnengine.models import build
from attnengine.reference.random_weights import random_weights
from attnengine.reference.transformer import Transformer
from tests.models.checks import (
    SOURCES,
    TARGETS,
    assert_close,
    check_decoder,
    check_long,
    check_same_bits,
    model,
    start,
    weights64,
)
from tests.models.configs import TRANSFORMER

POSITIONS = [("sinusoidal", "halves", 1), ("sinusoidal", "interleaved", 0), ("learned", None, 2)]


def check(config: dict[str, Any]) -> None:
    reference = Transformer(config, weights64(config))
    check_decoder(model(config), lambda i: reference.logits(SOURCES[i], TARGETS[i]))


@pytest.mark.parametrize(
    ("placement", "final_norm", "positions"),
    list(itertools.product(["pre", "post"], [True, False], POSITIONS)),
)
def test_norms_and_positions(
    placement: str, final_norm: bool, positions: tuple[str, str | None, int]
) -> None:
    kind, layout, offset = positions
    check(
        TRANSFORMER
        | {
            "norm_placement": placement,
            "final_norm": final_norm,
            "positions": kind,
            "position_layout": layout,
            "position_offset": offset,
            "embedding_norm": final_norm,
        }
    )


@pytest.mark.parametrize("placement", ["pre", "post"])
def test_embedding_norm(placement: str) -> None:
    check(TRANSFORMER | {"embedding_norm": True, "norm_placement": placement})


@pytest.mark.parametrize("activation", ["relu", "gelu", "gelu_tanh", "silu"])
@pytest.mark.parametrize("num_heads", [1, 2, 12])
def test_activations_and_heads(activation: str, num_heads: int) -> None:
    check(TRANSFORMER | {"activation": activation, "num_heads": num_heads})


def test_shared_and_tied_embeddings() -> None:
    check(
        TRANSFORMER
        | {
            "source_vocab_size": 13,
            "shared_embeddings": True,
            "tied_output": True,
            "scale_embeddings": False,
        }
    )


RECURRENCES = [
    {"decoder_self_attention": "ssru"},
    {"decoder_self_attention": "average"},
    {"decoder_self_attention": "average", "average_intermediate_size": 7, "activation": "silu"},
]


@pytest.mark.parametrize("changes", RECURRENCES)
@pytest.mark.parametrize("placement", ["pre", "post"])
def test_recurrences(placement: str, changes: dict[str, Any]) -> None:
    config = TRANSFORMER | {"norm_placement": placement, "source_vocab_size": 13} | changes
    check(config)
    check_same_bits(model(config))
    reference = Transformer(config, weights64(config))
    check_long(model(config), lambda target: reference.logits(SOURCES[0], target))


@pytest.mark.parametrize("changes", RECURRENCES)
def test_forks_and_truncation_with_a_recurrence(changes: dict[str, Any]) -> None:
    transformer = model(TRANSFORMER | changes)
    state, (first,) = start(transformer, 1)
    expected = transformer.step([3, 5, 7], [first] * 3, state).copy()
    (second,) = state.fork([first])
    transformer.step([9], [second], state)
    state.truncate(int(second), 2)
    np.testing.assert_array_equal(transformer.step([7], [second], state)[0], expected[2])
    state.truncate(int(first), 0)
    np.testing.assert_array_equal(transformer.step([3], [first], state)[0], expected[0])


def test_long_sequences_pass_the_blocks_of_the_cache() -> None:
    # 130 tokens fill three blocks of attention and three chunks of the cache
    target = [int(t) for t in np.random.default_rng(0).integers(0, 13, 130)]
    reference = Transformer(TRANSFORMER, weights64(TRANSFORMER))
    transformer = model(TRANSFORMER)
    state, sequence = start(transformer, 1)
    logits = transformer.step(target, np.repeat(sequence, len(target)), state).copy()
    assert_close(logits, reference.logits(SOURCES[0], target))
    state, sequence = start(transformer, 1)
    for i, token in enumerate(target):
        np.testing.assert_array_equal(transformer.step([token], sequence, state)[0], logits[i])


def test_attention_is_the_mean_over_heads_of_the_last_layer() -> None:
    reference = Transformer(TRANSFORMER, weights64(TRANSFORMER))
    transformer = model(TRANSFORMER)
    state, sequences = start(transformer, 2)
    state.keep_alignment = True
    transformer.step([1, 2, 4], [sequences[0], sequences[0], sequences[1]], state)
    first = reference.attentions(SOURCES[0], [1, 2]).cross[-1].mean(axis=0)
    assert_close(state.attention[:2], first)
    np.testing.assert_allclose(state.attention[2], [1, 0, 0, 0, 0], atol=1e-6)


def test_positions_are_limited() -> None:
    config = TRANSFORMER | {"max_positions": 4}
    transformer = model(config)
    with pytest.raises(InvalidArgument, match=r"lengths\[0\] is 5, expected at most 4"):
        transformer.encode([1, 2, 3, 4, 5], [5])
    state = transformer.new_state()
    sequence = state.add(transformer.encode([1], [1]))
    transformer.step([1, 2, 3], np.repeat(sequence, 3), state)
    with pytest.raises(InvalidArgument, match="would have 5 tokens, expected at most 4"):
        transformer.step([1, 2], np.repeat(sequence, 2), state)
    assert state.length(int(sequence[0])) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_heads": 5}, "'num_heads' is 5, expected a divisor of 'hidden_size' 12"),
        ({"position_layout": None}, "'position_layout' is None"),
        ({"shared_embeddings": True}, "expected equal vocabulary sizes"),
        ({"activation": "swish"}, "'activation' is 'swish', expected one of 'relu'"),
        ({"average_intermediate_size": 4}, "'average_intermediate_size' is 4, expected null"),
        ({"norm_eps": 0.0}, "'norm_eps' is 0.0, expected a number above 0"),
        ({"final_norm": 1}, "'final_norm' is 1, expected true or false"),
        ({"hidden_size": 0}, "'hidden_size' is 0, expected an integer, 1 or more"),
    ],
)
def test_bad_configs(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        build(TRANSFORMER | changes, random_weights(TRANSFORMER, 0))
