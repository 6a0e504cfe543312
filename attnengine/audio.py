"""The log-mel spectrogram of sound, the input of Whisper models (Radford et al. 2022)."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from attnengine.errors import InvalidArgument

Floats = NDArray[np.float32]

SAMPLE_RATE = 16_000  # samples a second
WINDOW = 400  # samples in the window of one frame
HOP = 160  # samples from one frame to the next: 100 frames a second
_BLOCK = 4096  # frames per FFT call; bounds the memory of the spectra


def log_mel(audio: NDArray[np.floating], num_mels: int = 80) -> Floats:
    """Return the log-mel spectrogram of sound, (num_mels, frames), as openai/whisper computes it.

    ``audio`` (samples,) holds floats between -1 and 1, sampled at 16 kHz. Every 160 samples make
    one frame. The result is (max(log10(mel), largest - 8) + 4) / 4, where ``largest`` is the
    largest log10(mel) of the recording.

    Raises InvalidArgument for another shape or type, for 200 samples or fewer, and for samples
    that are not finite.
    """
    samples = np.asarray(audio)
    if samples.ndim != 1 or samples.dtype.kind != "f" or len(samples) <= WINDOW // 2:
        raise InvalidArgument(
            f"audio has shape {samples.shape} and dtype {samples.dtype}, expected one channel of "
            f"more than {WINDOW // 2} floats between -1 and 1"
        )
    if not np.isfinite(samples).all():
        raise InvalidArgument("audio holds NaN or infinity, expected finite samples")
    padded = np.pad(samples.astype(np.float32), WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    frames = frames[: len(samples) // HOP]  # (frames, window)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    filters = mel_filters(num_mels)
    mel = [
        filters @ (np.abs(np.fft.rfft(frames[i : i + _BLOCK] * hann)) ** 2).T
        for i in range(0, len(frames), _BLOCK)
    ]  # blocks of (num_mels, frames)
    logs = np.log10(np.maximum(np.concatenate(mel, axis=1), 1e-10))
    scaled: Floats = ((np.maximum(logs, logs.max() - 8) + 4) / 4).astype(np.float32)
    return scaled


@functools.lru_cache(maxsize=4)
def mel_filters(num_mels: int) -> NDArray[np.float64]:
    """Return the mel filter bank, (num_mels, window / 2 + 1): the weight of each frequency.

    The filters are triangles of equal area on Slaney's mel scale (Auditory Toolbox, 1998), as in
    librosa.
    """
    frequencies = np.linspace(0, SAMPLE_RATE / 2, WINDOW // 2 + 1)
    edges = _hertz(np.linspace(0, _mels(SAMPLE_RATE / 2), num_mels + 2))
    rising = (frequencies - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - frequencies) / np.diff(edges)[1:, None]
    triangles = np.maximum(np.minimum(rising, falling), 0)
    weights: NDArray[np.float64] = triangles * (2 / (edges[2:] - edges[:-2]))[:, None]
    return weights


# Slaney's mel scale is linear up to 1000 Hz, which is mel 15, and logarithmic above.
_LINEAR = 200 / 3  # Hz per mel in the linear part
_CORNER = 15.0  # the mel at which the logarithmic part begins
_STEP = np.log(6.4) / 27  # log of the ratio of frequencies one mel apart


def _mels(hertz: float) -> float:
    """Convert a frequency above 1000 Hz to Slaney's mels."""
    return float(_CORNER + np.log(hertz / (_CORNER * _LINEAR)) / _STEP)


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _CORNER * _LINEAR * np.exp(_STEP * (mels - _CORNER))
    return np.where(mels < _CORNER, mels * _LINEAR, above)
