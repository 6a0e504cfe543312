"""Activations, softmax, norms, pooling and scores of the reference."""

from __future__ import annotations

import math

import numpy as np
import pytest

from attnengine.reference import pooling, scoring
from attnengine.reference.activations import ACTIVATIONS, gelu, gelu_tanh, sigmoid
from attnengine.reference.linear import linear
from attnengine.reference.norm import layer_norm
from attnengine.reference.softmax import log_softmax, log_softmax_top_k, softmax, top_k


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activations_keep_shape_and_precision(name: str, dtype: type) -> None:
    x = np.linspace(-4, 4, 12, dtype=dtype).reshape(3, 4)
    y = ACTIVATIONS[name](x)
    assert y.shape == x.shape
    assert y.dtype == dtype


def test_sigmoid_does_not_overflow() -> None:
    x = np.array([-1e30, 0.0, 1e30])
    np.testing.assert_array_equal(sigmoid(x), [0.0, 0.5, 1.0])


def test_gelu_and_its_approximation_differ_a_little() -> None:
    x = np.linspace(-4, 4, 101)
    difference = np.abs(gelu(x) - gelu_tanh(x)).max()
    assert 1e-5 < difference < 1e-3  # the paper's approximation is off by up to about 5e-4


def test_linear() -> None:
    weight = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    y = linear(np.array([[1.0, 10.0]]), weight, np.array([0.0, 0.0, 1.0]))
    np.testing.assert_array_equal(y, [[21.0, 43.0, 66.0]])


def test_softmax_sums_to_one_and_ignores_a_shift() -> None:
    x = np.random.default_rng(0).normal(size=(4, 7))
    np.testing.assert_allclose(softmax(x).sum(axis=-1), 1, rtol=1e-14)
    np.testing.assert_allclose(softmax(x + 1e4), softmax(x), rtol=1e-10)  # 1e4 costs 4 digits
    np.testing.assert_allclose(np.exp(log_softmax(x)), softmax(x), rtol=1e-14)


def test_log_softmax_keeps_the_impossible_impossible() -> None:
    log_probs = log_softmax(np.array([0.0, -np.inf, 0.0]))
    np.testing.assert_allclose(log_probs, [-math.log(2), -np.inf, -math.log(2)])


def test_top_k_breaks_ties_by_index() -> None:
    values, indices = top_k(np.array([[1.0, 3.0, 3.0, 2.0], [0.0, 0.0, 0.0, 0.0]]), 3)
    np.testing.assert_array_equal(indices, [[1, 2, 3], [0, 1, 2]])
    np.testing.assert_array_equal(values, [[3.0, 3.0, 2.0], [0.0, 0.0, 0.0]])


@pytest.mark.parametrize("k", [0, 5])
def test_top_k_names_a_k_out_of_range(k: int) -> None:
    with pytest.raises(ValueError, match=f"k is {k}, expected 1 to 4"):
        top_k(np.zeros((1, 4)), k)


def test_log_softmax_top_k_is_both() -> None:
    logits = np.random.default_rng(1).normal(size=(3, 9))
    log_probs, tokens = log_softmax_top_k(logits, 4)
    values, indices = top_k(log_softmax(logits), 4)
    np.testing.assert_array_equal(tokens, indices)
    np.testing.assert_array_equal(log_probs, values)


def test_layer_norm() -> None:
    x = np.random.default_rng(2).normal(size=(3, 8)) * 5 + 3
    y = layer_norm(x, np.full(8, 2.0), np.full(8, 0.5), 1e-12)
    np.testing.assert_allclose(y.mean(axis=-1), 0.5, rtol=1e-12)
    np.testing.assert_allclose(y.std(axis=-1), 2.0, rtol=1e-10)


def test_pooling() -> None:
    states = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 9.0]])
    np.testing.assert_array_equal(pooling.mean(states), [3.0, 5.0])
    np.testing.assert_array_equal(pooling.maximum(states), [5.0, 9.0])
    np.testing.assert_array_equal(pooling.first(states), [1.0, 2.0])
    np.testing.assert_allclose(pooling.weighted_mean(states), [22 / 6, 37 / 6], rtol=1e-14)
    np.testing.assert_allclose(pooling.mean_sqrt(states), [9 / 3**0.5, 15 / 3**0.5], rtol=1e-14)
    np.testing.assert_array_equal(pooling.last(states), [5.0, 9.0])
    np.testing.assert_array_equal(pooling.last(states, bidirectional=True), [5.0, 2.0])


def test_attention_pool() -> None:
    states = np.random.default_rng(3).normal(size=(5, 4))
    pooled, weights = pooling.attention_pool(states, np.ones(4))
    assert weights.argmax() == states.sum(axis=1).argmax()
    np.testing.assert_allclose(weights.sum(), 1, rtol=1e-14)
    np.testing.assert_allclose(pooled, sum(w * s for w, s in zip(weights, states, strict=True)))
    flat, _ = pooling.attention_pool(states, np.zeros(4))
    np.testing.assert_allclose(flat, pooling.mean(states))


def test_pool_names_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="pooling is 'sum'"):
        pooling.pool(np.zeros((2, 2)), "sum")
    with pytest.raises(ValueError, match="query is None"):
        pooling.pool(np.zeros((2, 2)), "attention")


def test_scores_of_a_fair_choice() -> None:
    logits, targets = np.zeros((3, 8)), [0, 5, 7]
    assert scoring.likelihood(logits, targets) == pytest.approx(1 / 512)
    assert scoring.cross_entropy(logits, targets) == pytest.approx(math.log(8))
    assert scoring.perplexity(logits, targets) == pytest.approx(8)


def test_likelihood_is_the_product_of_probabilities() -> None:
    logits = np.random.default_rng(4).normal(size=(4, 6))
    targets = np.array([1, 0, 5, 2])
    probabilities = softmax(logits)[np.arange(4), targets]
    assert scoring.likelihood(logits, targets) == pytest.approx(probabilities.prod())
    np.testing.assert_allclose(np.exp(scoring.token_log_probs(logits, targets)), probabilities)
