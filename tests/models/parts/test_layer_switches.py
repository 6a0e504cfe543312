"""Switches of self-attention and feed-forward in hand-made layers, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from attnengine import _core
from attnengine.reference.attention import scaled_dot_attention
from attnengine.reference.norm import layer_norm, rms_norm
from tests.models import hand_made as parts
from tests.models.checks import TARGETS, check_decoder

Floats = NDArray[np.float64]

VOCAB, SIZE, HEADS, DIM, INNER, EXPERTS = 13, 12, 3, 4, 10, 4
EPS = 1e-5
CLIP = 0.8


def random(*shape: int) -> Floats:
    """Random numbers that depend on the shape alone, exact in float32."""
    rng = np.random.default_rng(list(shape))
    return rng.normal(size=shape).astype(np.float32).astype(np.float64)


EMBEDDING = random(VOCAB, SIZE)
QUERY, KEY, VALUE, OUTPUT = random(4, SIZE, SIZE)
HEAD_NORMS = random(2, HEADS, DIM)  # norms of queries and of keys
DIM_NORM, ROW_NORM = random(DIM), random(SIZE)
ROUTER, UPS, DOWNS = random(EXPERTS, SIZE), random(EXPERTS, 2 * INNER, SIZE), random(4, SIZE, INNER)


NORMS: dict[str, Any] = {
    "none": (None, None, lambda q: q, lambda k: k),
    "weights of each head": (
        *(_core.PerHeadLayerNorm(weight, eps=EPS) for weight in HEAD_NORMS),
        lambda q: layer_norm(q, HEAD_NORMS[0], None, EPS),
        lambda k: layer_norm(k, HEAD_NORMS[1], None, EPS),
    ),
    "shared weights, and a row": (
        _core.RMSNorm(DIM_NORM, eps=EPS),
        _core.RMSNorm(ROW_NORM, eps=EPS),
        lambda q: rms_norm(q, DIM_NORM, EPS),
        lambda k: rms_norm(k.reshape(-1, SIZE), ROW_NORM, EPS).reshape(k.shape),
    ),
}


def experts(x: Floats, per_token: int, normalise: bool) -> Floats:
    """Apply the gated experts of each row to x (rows, hidden), one after the other."""
    out = np.zeros_like(x)
    for row, scores in enumerate(x @ ROUTER.T):
        weights = np.exp(scores - scores.max())
        weights /= weights.sum()
        chosen = np.argsort(-weights, kind="stable")[:per_token]
        for expert in chosen:
            gate, up = np.split(UPS[expert] @ x[row], 2)
            share = weights[expert] / (weights[chosen].sum() if normalise else 1)
            out[row] += share * (DOWNS[expert] @ (np.maximum(gate, 0) * up))
    return out


def logits(tokens: list[int], norms: str, per_token: int, normalise: bool) -> Floats:
    """The logits that `model` gives after each token."""
    x = EMBEDDING[tokens]  # (rows, hidden)
    heads = [np.clip(x @ w.T, -CLIP, CLIP).reshape(-1, HEADS, DIM) for w in (QUERY, KEY, VALUE)]
    query, keys = NORMS[norms][2](heads[0]), NORMS[norms][3](heads[1])
    lengths = np.arange(1, len(tokens) + 1)
    context, _ = scaled_dot_attention(query, keys, heads[2], lengths)
    x = x + context.reshape(x.shape) @ OUTPUT.T
    return (x + experts(x, per_token, normalise)) @ EMBEDDING.T


def model(norms: str, per_token: int, normalise: bool) -> _core.TransformerDecoder:
    query_norm, key_norm = NORMS[norms][:2]
    attention = _core.MultiHeadAttention(
        query_key_value=_core.Linear(np.concatenate([QUERY, KEY, VALUE])),
        output=_core.Linear(OUTPUT),
        num_heads=HEADS,
        clip=CLIP,
        query_norm=query_norm,
        key_norm=key_norm,
    )
    gated = [
        _core.FeedForward(
            up=_core.Linear(up), down=_core.Linear(down), activation="relu", gated=True
        )
        for up, down in zip(UPS, DOWNS, strict=True)
    ]
    layer = _core.TransformerLayer(
        self_attention=attention,
        self_attention_norm=_core.BlockNorm(),
        feed_forward=_core.Experts(
            router=_core.Linear(ROUTER),
            experts=gated,
            experts_per_token=per_token,
            normalise=normalise,
        ),
        feed_forward_norm=_core.BlockNorm(),
    )
    stack = _core.TransformerStack(
        embedding=_core.Embedding(EMBEDDING), max_positions=0, layers=[layer]
    )
    return _core.TransformerDecoder(stack, _core.Linear(EMBEDDING), settings=_core.BuildSettings())


@pytest.mark.parametrize("norms", NORMS)
@pytest.mark.parametrize(("per_token", "normalise"), [(1, True), (2, False), (3, True)])
def test_clipped_heads_norms_and_experts(norms: str, per_token: int, normalise: bool) -> None:
    check_decoder(
        model(norms, per_token, normalise),
        lambda i: logits(TARGETS[i], norms, per_token, normalise),
    )


def test_a_step_without_rows_that_keeps_attentions() -> None:
    decoder = model("none", 1, True)
    state = decoder.new_state()
    state.keep_all_attentions = True
    assert decoder.step([], [], state).shape == (0, VOCAB)
    decoder.step([1, 2], state.add(1)[[0, 0]], state)
    assert state.attentions[0].shape == (1, HEADS, 2, 2)


def test_a_window_wider_than_any_sentence_is_none() -> None:
    wide, everything = (
        parts.encoder_of(layers=[parts.layer(self_attention=parts.attention(window=window))])
        for window in (2**63 - 1, 0)
    )
    np.testing.assert_array_equal(
        wide.hidden_states([1, 2, 3], [3]), everything.hidden_states([1, 2, 3], [3])
    )


def test_strides_of_any_size() -> None:
    model = _core.SpeechSeq2Seq(
        encoder=parts.speech_encoder(stride=2**63 - 1),
        decoder=parts.language_model(parts.cross_layer(parts.source_attention())),
    )
    assert model.max_frames == 2**63 - 1
    assert model.encode(np.ones((7, 2), np.float32), [3, 4]).length(1) == 1


def test_the_memory_of_a_layer_is_not_to_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        parts.linear(4, 4).packed[0] = 1
