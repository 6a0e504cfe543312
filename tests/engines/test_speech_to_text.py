from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import attnengine as ae
from attnengine.audio import HOP, log_mel
from attnengine.reference.random_weights import random_weights
from tests.models.configs import WHISPER

CONFIG: dict[str, Any] = WHISPER | {
    "vocab_size": 30,
    "tokenizer": "none",
    "bos_token_id": None,
    "eos_token_id": 2,
    "pad_token_id": None,
    "unk_token_id": None,
    "decoder_start_token_id": 1,
    "suppress_tokens": [0, 8],
}
WINDOW = 40 * HOP  # samples in 2 * max_source_positions frames


def saved(folder: Path, **changes: Any) -> ae.SpeechToText:
    config = CONFIG | changes
    ae.save(folder, config, random_weights(config, 0), {})
    model = ae.load(folder)
    assert isinstance(model, ae.SpeechToText)
    return model


@pytest.fixture
def model(tmp_path: Path) -> ae.SpeechToText:
    return saved(tmp_path / "speech")


def mel(length: int) -> NDArray[np.float32]:
    return np.random.default_rng(length).normal(size=(5, length)).astype(np.float32)


def sound(samples: int) -> NDArray[np.float32]:
    return np.random.default_rng(samples).normal(size=samples, scale=0.1).astype(np.float32)


def ids(found: ae.Transcription) -> list[list[int]]:
    return [window.hypotheses[0].ids for window in found.windows]


def test_one_recording_or_many(model: ae.SpeechToText) -> None:
    recordings = [mel(40), mel(7), sound(1000)]
    many = model.transcribe(recordings, language="en", beam_size=2)
    assert isinstance(many, list)
    for recording, found in zip(recordings, many, strict=True):
        assert model.transcribe(recording, language="en", beam_size=2) == found
        assert found.language == "en"
        assert len(found.windows) == 1
        assert found.text == found.windows[0].text
    assert model.transcribe([]) == []
    batched = model.transcribe(recordings, language="en", beam_size=2, max_batch_size=1)
    assert batched == many


def test_greedy_by_hand(model: ae.SpeechToText) -> None:
    found = model.transcribe(mel(40), language="de", task="translate", beam_size=1)
    prompt, tokens = [1, 4, 6, 7], ids(found)[0]
    expected: list[int] = []
    for _ in range(WHISPER["max_target_positions"] // 2):
        logits = model.logits(mel(40), prompt + expected)[-1]
        logits[[0, 8]] = -np.inf
        expected.append(int(logits.argmax()))
        if expected[-1] == 2:
            expected.pop()
            break
    assert tokens == expected


def test_what_no_text_begins_with(tmp_path: Path, model: ae.SpeechToText) -> None:
    first = ids(model.transcribe(mel(40), language="en", beam_size=1))[0][0]
    other = saved(tmp_path / "other", begin_suppress_tokens=[first, 2])
    batch = [mel(40), mel(40), mel(9)]
    for found in other.transcribe(batch, language="en", beam_size=1, max_batch_size=2):
        assert ids(found)[0][0] not in (first, 2)


def test_long_sound_is_cut(model: ae.SpeechToText) -> None:
    samples = sound(2 * WINDOW + 100)
    found = model.transcribe(samples, language="en")
    last = np.zeros(WINDOW, np.float32)
    last[:100] = samples[2 * WINDOW :]
    parts = [samples[:WINDOW], samples[WINDOW : 2 * WINDOW], last]
    assert len(found.windows) == 3
    for part, window in zip(parts, found.windows, strict=True):
        assert model.transcribe(log_mel(part, 5), language="en").windows == [window]
    assert found.text == "".join(window.text for window in found.windows)
    assert found.to_dict()["windows"][2]["text"] == found.windows[2].text


def test_the_language_is_found(model: ae.SpeechToText) -> None:
    probs = model.detect_language(mel(30))
    assert sum(probs.values()) == pytest.approx(1)
    assert list(probs.values()) == sorted(probs.values(), reverse=True)
    logits = model.logits(mel(30), [1])[0]
    best = "en" if logits[3] > logits[4] else "de"
    assert next(iter(probs)) == best
    assert model.transcribe(mel(30)) == model.transcribe(mel(30), language=best)


def test_a_model_of_one_language(tmp_path: Path) -> None:
    english = {"language_token_ids": {}, "task_token_ids": {}}
    model = saved(tmp_path / "english", **english)
    assert model.transcribe(mel(10)).language is None
    with pytest.raises(ae.InvalidArgument, match="the model has one language"):
        model.detect_language(mel(10))
    with pytest.raises(ae.InvalidArgument, match="language is 'en', expected None"):
        model.transcribe(mel(10), language="en")
    with pytest.raises(ae.InvalidArgument, match="task is 'translate', expected one of transcribe"):
        model.transcribe(mel(10), task="translate")


def test_attention_is_over_the_states(model: ae.SpeechToText) -> None:
    found = model.transcribe(mel(30), language="en", return_attention=True)
    best = found.windows[0].hypotheses[0]
    assert best.attention is not None
    assert best.attention.shape == (len(best.ids) + 3, 15)  # + 3: prompt but for its last token
    np.testing.assert_allclose(best.attention.sum(axis=1), 1, rtol=1e-5)


def test_states(model: ae.SpeechToText) -> None:
    assert model.hidden_states(mel(31)).shape == (16, 12)
    assert model.hidden_states(sound(100)).shape == (20, 12)


def test_it_pickles(model: ae.SpeechToText) -> None:
    again = pickle.loads(pickle.dumps(model))
    assert again.transcribe(mel(12)) == model.transcribe(mel(12))


@pytest.mark.parametrize(
    ("audio", "options", "message"),
    [
        (mel(41), {}, r"recording 0: features have shape \(5, 41\)"),
        (mel(0), {}, r"expected finite floats \(5, 1 to 40\)"),
        (mel(9).T, {}, r"features have shape \(9, 5\)"),
        (np.full((5, 3), np.inf), {}, "expected finite floats"),
        (np.zeros(100, np.int16), {}, "dtype int16, expected one channel of floats"),
        ([0.5, 0.25], {}, "audio is a list of 2 numbers, expected an array of floats"),
        ("speech.wav", {}, r"audio is 'speech.wav' \(str\), expected an array of floats"),
        (None, {}, r"audio is None \(NoneType\), expected an array of floats"),
        (np.float32(0), {}, "audio is .*float32.*, expected an array of floats"),
        ([mel(3), "a.wav"], {}, r"recording 1: audio is 'a.wav' \(str\), expected an array"),
        (np.zeros((4000, 2), np.float32), {}, r"shape \(4000, 2\), which looks like several chan"),
        (np.zeros((2, 4000), np.float32), {}, r"shape \(2, 4000\), which looks like several chan"),
        (np.zeros((5, 4, 1)), {}, r"audio has shape \(5, 4, 1\)"),
        (np.full(500, np.nan), {}, "holds NaN or infinity"),
        ([mel(3), mel(99)], {}, "recording 1: features"),
        (mel(3), {"language": "xx"}, "language is 'xx', expected one of en, de"),
        (mel(3), {"task": "sing"}, "task is 'sing', expected one of transcribe, translate"),
        (mel(3), {"beam": 3}, "unknown option 'beam', did you mean 'num_beams'"),
    ],
)
def test_what_does_not_fit(
    model: ae.SpeechToText, audio: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ae.InvalidArgument, match=message):
        model.transcribe(audio, **options)


@pytest.mark.parametrize("start", [None, 30, "1"])
def test_a_start_that_is_no_token(tmp_path: Path, start: Any) -> None:
    with pytest.raises(ae.FormatError, match="decoder_start_token_id is"):
        saved(tmp_path / "speech", decoder_start_token_id=start)
