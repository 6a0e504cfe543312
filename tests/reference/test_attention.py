from __future__ import annotations

import numpy as np
import pytest

from attnengine.reference import attention
from attnengine.reference.self_attention import (
    causal_mask,
    multi_head_attention,
    self_attention,
    self_attention_of_word,
)

FIELDS = ("queries", "scores", "scaled_scores", "weights", "weighted_values", "output")


def scores_by_hand(kind: str, q: np.ndarray, k: np.ndarray, w: np.ndarray, v: np.ndarray) -> float:
    if kind == "additive":
        return float(v @ np.tanh(q + k))
    if kind == "concat":
        return float(v @ np.tanh(w @ np.concatenate([q, k])))
    return float((w @ q if kind == "general" else q) @ k)


@pytest.mark.parametrize("kind", ["additive", "dot", "general", "concat"])
@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize("src", [1, 5])
def test_scores(kind: str, beam: int, src: int) -> None:
    rng = np.random.default_rng(0)
    query, keys = rng.normal(size=(beam, 4)), rng.normal(size=(src, 4))
    values, v = rng.normal(size=(src, 6)), rng.normal(size=4)
    weight = rng.normal(size=(4, 8 if kind == "concat" else 4))
    arguments = {"additive": [v], "dot": [], "general": [weight], "concat": [weight, v]}[kind]

    function = getattr(attention, f"{kind}_attention")
    context, weights = function(query, keys, values, *arguments)

    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-14)
    for b in range(beam):
        e = np.exp([scores_by_hand(kind, query[b], key, weight, v) for key in keys])
        np.testing.assert_allclose(weights[b], e / e.sum(), rtol=1e-12)
        np.testing.assert_allclose(context[b], (e / e.sum()) @ values, rtol=1e-12)


def test_scaled_dot_attention_sees_only_its_length() -> None:
    rng = np.random.default_rng(1)
    query, keys, values = (rng.normal(size=(4, 2, 3)) for _ in range(3))
    context, weights = attention.scaled_dot_attention(query, keys, values, np.array([1, 2, 3, 4]))

    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-14)
    for row in range(4):
        assert (weights[row, :, row + 1 :] == 0).all()
        seen = slice(0, row + 1)
        alone, _ = attention.scaled_dot_attention(query[[row]], keys[seen], values[seen])
        np.testing.assert_allclose(context[row], alone[0], rtol=1e-12)


def test_scale_defaults_to_the_root_of_head_dim() -> None:
    rng = np.random.default_rng(2)
    query, keys, values = (rng.normal(size=(3, 1, 16)) for _ in range(3))
    default, _ = attention.scaled_dot_attention(query, keys, values)
    given, _ = attention.scaled_dot_attention(query, keys, values, scale=0.25)
    np.testing.assert_array_equal(default, given)


@pytest.mark.parametrize("causal", [False, True])
def test_six_steps_word_by_word_equal_matrices(causal: bool) -> None:
    rng = np.random.default_rng(3)
    x, w_q, w_k, w_v = (rng.normal(size=s) for s in [(5, 8), (3, 8), (3, 8), (4, 8)])
    mask = causal_mask(5) if causal else None

    together = self_attention(x, w_q, w_k, w_v, mask)

    for word in range(5):
        alone = self_attention_of_word(word, x, w_q, w_k, w_v, mask)
        np.testing.assert_allclose(alone.keys, together.keys, rtol=1e-12)
        np.testing.assert_allclose(alone.values, together.values, rtol=1e-12)
        for name in FIELDS:
            expected = getattr(together, name)[[word]]
            np.testing.assert_allclose(getattr(alone, name), expected, rtol=1e-10, err_msg=name)


def test_one_head_with_identity_projection_is_self_attention() -> None:
    rng = np.random.default_rng(4)
    x, w_q, w_k, w_v = (rng.normal(size=s) for s in [(5, 4), (4, 4), (4, 4), (4, 4)])
    output, weights = multi_head_attention(x, w_q, w_k, w_v, np.eye(4), num_heads=1)
    single = self_attention(x, w_q, w_k, w_v)
    np.testing.assert_allclose(output, single.output, rtol=1e-12)
    np.testing.assert_array_equal(weights[0], single.weights)


def test_heads_are_scaled_dot_attention() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(5, 6))
    w_q, w_k, w_v, w_o = (rng.normal(size=(6, 6)) for _ in range(4))
    output, weights = multi_head_attention(x, w_q, w_k, w_v, w_o, 2, causal_mask(5))
    heads = [(x @ w.T).reshape(5, 2, 3) for w in (w_q, w_k, w_v)]
    context, expected = attention.scaled_dot_attention(*heads, np.arange(1, 6))
    np.testing.assert_allclose(weights, expected.transpose(1, 0, 2), rtol=1e-12)
    np.testing.assert_allclose(output, context.reshape(5, 6) @ w_o.T, rtol=1e-10)
