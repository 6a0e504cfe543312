from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attnengine.audio import HOP, SAMPLE_RATE, log_mel, mel_filters
from attnengine.errors import InvalidArgument


def tone(hertz: float, samples: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    time = np.arange(samples) / SAMPLE_RATE
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def test_a_tone() -> None:
    mel = log_mel(tone(440, 1600))
    assert (mel.shape, mel.dtype) == ((80, 10), np.float32)
    # WhisperFeatureExtractor of transformers 5.23 gives mels 0, 5, 10, 11, 12, 40, 79 of frame 4
    expected = [-0.5618, -0.5618, 1.34874, 1.4382, 1.29352, -0.5618, -0.5618]
    np.testing.assert_allclose(mel[[0, 5, 10, 11, 12, 40, 79], 4], expected, atol=2e-5)


def test_filters() -> None:
    for num_mels in (80, 128):
        filters = mel_filters(num_mels)
        assert filters.shape == (num_mels, 201)
        assert (filters >= 0).all()
        assert (filters.max(axis=1) > 0).all()
        # the peak of each filter lies above the peak of the one before
        assert (np.diff(filters.argmax(axis=1)) >= 0).all()


def test_frames_are_independent_of_what_is_far_away() -> None:
    # The loudest frame sets the lower bound of all frames, so it must be the same in both.
    long = tone(440, 16000)
    np.testing.assert_allclose(
        log_mel(long)[:, 3:90], log_mel(long[: 95 * HOP])[:, 3:90], atol=1e-5
    )


def test_silence_is_level() -> None:
    assert np.unique(log_mel(np.zeros(3200, np.float32))).tolist() == [-1.5]  # (-10 + 4) / 4


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (np.zeros((2, 1600), np.float32), r"shape \(2, 1600\) and dtype float32, expected one"),
        (np.zeros(1600, np.int16), "dtype int16, expected one channel of more than 200 floats"),
        (np.zeros(200, np.float32), "more than 200 floats"),
        (np.full(1600, np.nan), "holds NaN or infinity"),
    ],
)
def test_sound_that_does_not_fit(audio: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        log_mel(audio)


@pytest.mark.peers
@pytest.mark.parametrize("num_mels", [80, 128])
def test_the_same_as_transformers(num_mels: int) -> None:
    transformers = pytest.importorskip("transformers")
    time = np.arange(30 * SAMPLE_RATE) / SAMPLE_RATE
    noise = np.random.default_rng(0).normal(size=len(time))
    sound = 0.4 * np.sin(2 * np.pi * (200 + 300 * time) * time) + 0.05 * noise
    sound[len(sound) // 3 :] = 0
    extractor = transformers.WhisperFeatureExtractor(feature_size=num_mels)
    features = extractor(sound, sampling_rate=SAMPLE_RATE, return_tensors="np")
    # transformers computes everything in float32
    np.testing.assert_allclose(log_mel(sound, num_mels), features["input_features"][0], atol=5e-5)
