"""What speech models read (Radford et al. 2022): the log-mel spectrogram of sound."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from attnengine.errors import InvalidArgument

Floats = NDArray[np.float32]

SAMPLE_RATE = 16_000  # samples a second
WINDOW = 400  # samples that a frame is computed from
HOP = 160  # samples from one frame to the next: 100 frames a second
_BLOCK = 4096  # frames of which spectra are in memory at a time


def log_mel(audio: NDArray[np.floating], num_mels: int = 80) -> Floats:
    """Return the log-mel spectrogram of sound, (num_mels, frames), as openai/whisper computes it.

    ``audio`` (samples,) lies between -1 and 1, at 16 kHz; each 160 samples make a frame. Values
    are cut off 8 below the largest (powers of ten), then divided by 4.

    Raises InvalidArgument for another shape, type or number that is not finite.
    """
    samples = np.asarray(audio)
    if samples.ndim != 1 or samples.dtype.kind != "f" or len(samples) <= WINDOW // 2:
        raise InvalidArgument(
            f"audio has shape {samples.shape} and dtype {samples.dtype}, expected floats between "
            f"-1 and 1 of one channel, more than {WINDOW // 2} of them"
        )
    if not np.isfinite(samples).all():
        raise InvalidArgument("audio has samples that are not finite")
    padded = np.pad(samples.astype(np.float32), WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    frames = frames[: len(samples) // HOP]  # (frames, window)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    filters = mel_filters(num_mels)
    mel = [
        filters @ (np.abs(np.fft.rfft(frames[i : i + _BLOCK] * hann)) ** 2).T
        for i in range(0, len(frames), _BLOCK)
    ]  # of (num_mels, frames)
    logs = np.log10(np.maximum(np.concatenate(mel, axis=1), 1e-10))
    scaled: Floats = ((np.maximum(logs, logs.max() - 8) + 4) / 4).astype(np.float32)
    return scaled


@functools.lru_cache(maxsize=4)
def mel_filters(num_mels: int) -> NDArray[np.float64]:
    """Return the weight of each frequency in each mel, (num_mels, window / 2 + 1).

    Triangles of equal area on Slaney's scale (Auditory Toolbox, 1998), as librosa makes them.
    """
    frequencies = np.linspace(0, SAMPLE_RATE / 2, WINDOW // 2 + 1)
    edges = _hertz(np.linspace(0, _mels(SAMPLE_RATE / 2), num_mels + 2))
    rising = (frequencies - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - frequencies) / np.diff(edges)[1:, None]
    triangles = np.maximum(np.minimum(rising, falling), 0)
    weights: NDArray[np.float64] = triangles * (2 / (edges[2:] - edges[:-2]))[:, None]
    return weights


# Slaney's scale is linear up to 1000 Hz, which is mel 15, and logarithmic above.
_LINEAR = 200 / 3  # Hz a mel
_CORNER = 15.0
_STEP = np.log(6.4) / 27


def _mels(hertz: float) -> float:
    """Slaney's mels of a frequency above the corner."""
    return float(_CORNER + np.log(hertz / (_CORNER * _LINEAR)) / _STEP)


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _CORNER * _LINEAR * np.exp(_STEP * (mels - _CORNER))
    return np.where(mels < _CORNER, mels * _LINEAR, above)
