from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from attnengine import _core
from attnengine.errors import FormatError, InvalidArgument
from attnengine.models import build
from attnengine.reference.random_weights import random_weights
from attnengine.reference.whisper import Whisper
from tests.models.checks import assert_close, model, weights64
from tests.models.configs import WHISPER
from tests.models.hand_made import transformer_decoder

IDS = [1, 2, 3, 4]


def frames(length: int) -> NDArray[np.float32]:
    return np.random.default_rng(length).normal(size=(length, 5)).astype(np.float32)


def logits(speech: Any, encoded: _core.Encoded) -> NDArray[np.float32]:
    """Logits of every recording, (recordings, tokens, vocab_size)."""
    state = speech.new_state()
    sequences = state.add(encoded)
    rows = speech.step(np.tile(IDS, len(sequences)), np.repeat(sequences, len(IDS)), state)
    return rows.reshape(len(sequences), len(IDS), -1).copy()


@pytest.mark.parametrize("length", [1, 2, 7, 40])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tie_word_embeddings": False},
        {"activation_function": "relu"},
        {"encoder_layers": 1, "encoder_attention_heads": 1},
    ],
)
def test_states_and_logits(length: int, changes: dict[str, Any]) -> None:
    config = WHISPER | changes
    reference, speech = Whisper(config, weights64(config)), model(config)
    encoded = speech.encode(frames(length), [length])
    expected = reference.encode(frames(length).astype(np.float64))
    assert expected.shape == ((length + 1) // 2, 12)
    assert_close(encoded.hidden_states(0), expected)
    found = logits(speech, encoded)[0]
    assert_close(found, reference.logits(frames(length).astype(np.float64), IDS))


@pytest.mark.parametrize("threads", [1, 2])
def test_same_bits_in_any_company(threads: int) -> None:
    speech, lengths = model(WHISPER), [7, 40, 1, 12]
    alone = [logits(speech, speech.encode(frames(length), [length]))[0] for length in lengths]
    speech.num_threads = threads
    together = speech.encode(np.concatenate([frames(length) for length in lengths]), lengths)
    for one, beside in zip(alone, logits(speech, together), strict=True):
        assert one.tobytes() == beside.tobytes()


def test_sizes() -> None:
    speech = model(WHISPER)
    assert (speech.num_mels, speech.max_frames, speech.encoder_size) == (5, 40, 12)
    assert (speech.vocab_size, speech.max_positions) == (13, 30)


@pytest.mark.parametrize(
    ("rows", "lengths", "message"),
    [
        (frames(41), [41], r"lengths\[0\] is 41, expected at most 40"),
        (frames(4), [3], "lengths"),
        (frames(4), [4, 0], "lengths"),
        (np.zeros((4, 6), np.float32), [4], r"frames.shape\[1\] is 6, expected 5"),
        (np.zeros(4, np.float32), [4], "frames.ndim is 1, expected 2"),
    ],
)
def test_recordings_that_do_not_fit(rows: Any, lengths: list[int], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        model(WHISPER).encode(rows, lengths)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decoder_attention_heads": 5}, "'decoder_attention_heads' is 5, expected a divisor"),
        ({"no_timestamps_token_id": 13}, "'no_timestamps_token_id' has 13, expected ids below 13"),
        ({"language_token_ids": {"en": "3"}}, "'language_token_ids' has '3', expected ids below"),
        ({"task_token_ids": {"transcribe": -1}}, "'task_token_ids' has -1, expected ids below 13"),
        ({"scale_embedding": True}, "'scale_embedding' is no key of 'whisper'"),
        ({"tie_word_embeddings": False}, r"weight 'proj_out\.weight' is missing"),
    ],
)
def test_configs_that_do_not_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        build(WHISPER | changes, random_weights(WHISPER, 0))


def test_parts_that_do_not_fit() -> None:
    linear = _core.Linear(np.ones((4, 7), np.float32))
    with pytest.raises(InvalidArgument, match=r"weight.shape\[1\] is 7, expected a multiple of 3"):
        _core.Convolution(linear)
    with pytest.raises(InvalidArgument, match="stride is 0, expected at least 1"):
        _core.Convolution(_core.Linear(np.ones((4, 6), np.float32)), stride=0)


def stack(embedding: _core.Embedding | None) -> _core.TransformerStack:
    """A stack with one trivial layer: its attention and feed-forward network are zeros."""
    square = _core.Linear(np.zeros((4, 4), np.float32))
    layer = _core.TransformerLayer(
        self_attention=_core.MultiHeadAttention(
            query_key_value=_core.Linear(np.zeros((12, 4), np.float32)),
            output=square,
            num_heads=1,
        ),
        self_attention_norm=_core.BlockNorm(),
        feed_forward=_core.FeedForward(up=square, down=square, activation="relu"),
        feed_forward_norm=_core.BlockNorm(),
    )
    return _core.TransformerStack(embedding=embedding, max_positions=0, layers=[layer])


def test_what_embeds() -> None:
    narrow, wide = (_core.Convolution(_core.Linear(np.zeros((4, n)))) for n in (6, 12))
    words = _core.Embedding(np.zeros((5, 4)))
    _core.SpeechEncoder(convolutions=[narrow, wide], activation="gelu", stack=stack(None))
    with pytest.raises(InvalidArgument, match="the stack has an embedding, expected none"):
        _core.SpeechEncoder(convolutions=[narrow], activation="gelu", stack=stack(words))
    with pytest.raises(InvalidArgument, match="convolutions is empty, expected at least one"):
        _core.SpeechEncoder(convolutions=[], activation="gelu", stack=stack(None))
    with pytest.raises(InvalidArgument, match="channels of a convolution is 2, expected 4"):
        _core.SpeechEncoder(convolutions=[wide, narrow], activation="gelu", stack=stack(None))
    with pytest.raises(InvalidArgument, match="embedding is None, expected that of the tokens"):
        _core.TransformerEncoder(stack(None))
    with pytest.raises(InvalidArgument, match="embedding is None, expected that of the tokens"):
        transformer_decoder(stack(None))
