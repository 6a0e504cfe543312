from __future__ import annotations

import numpy as np
import pytest

from attnengine import _core
from attnengine.errors import FormatError, InvalidArgument
from attnengine.models import build
from attnengine.reference import pooling
from attnengine.reference.bert import Bert
from tests.golden import huggingface as golden
from tests.models.checks import assert_close

CASE = golden.cases("bert")["plain"]
WEIGHTS = golden.weights(CASE["shapes"], CASE["seed"])
TEXTS = [[int(i) for i in np.random.default_rng(n).integers(0, 60, n)] for n in (5, 1, 64, 17)]
LENGTHS = [len(text) for text in TEXTS]


@pytest.fixture(scope="module")
def encoder() -> _core.Encoder:
    return golden.model(CASE)


@pytest.fixture(scope="module")
def reference() -> Bert:
    weights = {name: w.astype(np.float64) for name, w in WEIGHTS.items()}
    return Bert(CASE["config"], weights)


def test_states_are_those_of_the_reference(encoder: _core.Encoder, reference: Bert) -> None:
    states = encoder.hidden_states(np.concatenate(TEXTS), LENGTHS)
    for text, part in zip(TEXTS, np.split(states, np.cumsum(LENGTHS)[:-1]), strict=True):
        assert_close(part, reference.hidden_states(text))


@pytest.mark.parametrize("how", ["mean", "max", "first", "last", "weighted_mean", "mean_sqrt"])
def test_pooling(encoder: _core.Encoder, reference: Bert, how: str) -> None:
    pooled = encoder.encode(np.concatenate(TEXTS), LENGTHS, how)
    for text, vector in zip(TEXTS, pooled, strict=True):
        assert_close(vector, pooling.pool(reference.hidden_states(text), how))


@pytest.mark.parametrize("family", ["bert", "modernbert"])
def test_same_bits_in_any_company(family: str) -> None:
    encoder = golden.model(golden.cases(family)["plain"])
    encoder.num_threads = 1
    alone = [encoder.hidden_states(text, [len(text)]).tobytes() for text in TEXTS]
    for threads in (1, 2):
        encoder.num_threads = threads
        for order in ([0, 1, 2, 3], [2, 0, 3, 1]):
            lengths = [LENGTHS[i] for i in order]
            states = encoder.hidden_states(np.concatenate([TEXTS[i] for i in order]), lengths)
            parts = np.split(states, np.cumsum(lengths)[:-1])
            assert [part.tobytes() for part in parts] == [alone[i] for i in order]


def test_bad_input_is_named(encoder: _core.Encoder) -> None:
    assert (encoder.vocab_size, encoder.output_size, encoder.max_positions) == (60, 32, 64)
    with pytest.raises(InvalidArgument, match=r"lengths\[1\] is 65, expected at most 64"):
        encoder.hidden_states([1] * 66, [1, 65])
    with pytest.raises(InvalidArgument, match=r"tokens\[1\] is 60, expected 0 to 59"):
        encoder.hidden_states([1, 60], [2])


def test_sizes_that_do_not_fit() -> None:
    with pytest.raises(FormatError, match="'num_attention_heads' is 5, expected a divisor"):
        build(CASE["config"] | {"num_attention_heads": 5}, WEIGHTS)
    roberta = golden.cases("roberta")["plain"]
    with pytest.raises(FormatError, match="'pad_token_id' is 63, expected less than"):
        build(roberta["config"] | {"pad_token_id": 63}, WEIGHTS)
    modern = golden.cases("modernbert")["plain"]
    with pytest.raises(FormatError, match=r"'layer_types' is .*expected 3 times 'full_attention'"):
        build(modern["config"] | {"layer_types": ["full_attention"]}, WEIGHTS)
