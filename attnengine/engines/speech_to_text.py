"""The engine of speech models: sound to text."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.audio import HOP, SAMPLE_RATE, log_mel
from attnengine.decoding.compiled_options import CompiledOptions
from attnengine.decoding.keywords import parse
from attnengine.decoding.results import Result, Transcription
from attnengine.decoding.score import logits
from attnengine.decoding.sentences import Sentence
from attnengine.engines.base import DecodingEngine
from attnengine.engines.outputs import to_result
from attnengine.errors import FormatError, InvalidArgument
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.tokenizers import open_tokenizer

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from attnengine.decoding.options import Options

Floats = NDArray[np.float32]
Recording: TypeAlias = "NDArray[np.floating[Any]]"


_MOST_CHANNELS = 8
_EXPECTED = f"expected an array of floats (samples,) between -1 and 1 at {SAMPLE_RATE} Hz"


class SpeechToText(DecodingEngine):
    """A speech model: transcribes recordings, and may translate them to English."""

    _model: _core.SpeechSeq2Seq

    def __init__(self, model: Any, checkpoint: Checkpoint, options: Mapping[str, Any]) -> None:
        super().__init__(model, checkpoint, options)
        self.tokenizer = self._output = open_tokenizer(checkpoint)
        start = self.config.get("decoder_start_token_id")
        if type(start) is not int or not 0 <= start < self._model.vocab_size:
            raise FormatError(
                f"{self.path}: decoder_start_token_id is {start!r:.80}, expected an id from 0 to"
                f" {self._model.vocab_size - 1}"
            )
        self._start_token: int = start
        self.languages: dict[str, int] = dict(self.config["language_token_ids"])

    @overload
    def transcribe(
        self,
        audio: Recording,
        *,
        language: str | None = None,
        task: str = "transcribe",
        **options: Unpack[Options],
    ) -> Transcription: ...
    @overload
    def transcribe(
        self,
        audio: Sequence[Recording],
        *,
        language: str | None = None,
        task: str = "transcribe",
        **options: Unpack[Options],
    ) -> list[Transcription]: ...
    def transcribe(
        self,
        audio: Recording | Sequence[Recording],
        *,
        language: str | None = None,
        task: str = "transcribe",
        **options: Unpack[Options],
    ) -> Transcription | list[Transcription]:
        """Transcribe one recording or many; by default with beam search of ``beam_size`` 5.

        A recording is sound of any length: floats (samples,) between -1 and 1 at 16 kHz. It is
        cut into windows of 30 seconds. A recording may also be the log-mel spectrogram of at most
        30 seconds, (num_mels, frames), from ``attnengine.audio.log_mel``.

        ``language`` is a code such as "en" from ``languages``. None: the model detects it in the
        first window. ``task`` is "transcribe", or "translate" for English text. By default
        ``max_new_tokens`` is half of the model's positions. ``attnengine.decoding.options``
        explains all options.

        Raises InvalidArgument for an unknown option, language or task, a value that is not
        allowed, and a recording of another shape or type or with NaN or infinity.
        """
        search = self._compile(parse(options, "transcribe"))
        self._check(language, task)
        single = isinstance(audio, np.ndarray)
        recordings = [audio] if isinstance(audio, np.ndarray) else _listed(audio)
        results: list[list[Result]] = [[] for _ in recordings]
        languages: dict[int, str | None] = dict.fromkeys(range(len(recordings)), language)
        windows = self._windows(recordings)
        while batch := list(itertools.islice(windows, search.options.max_batch_size)):
            for index, result in self._batch(batch, languages, task, search):
                results[index].append(result)
        found = [Transcription(languages[i], one) for i, one in enumerate(results)]
        return found[0] if single else found

    def detect_language(self, audio: Recording) -> dict[str, float]:
        """Return each language's probability in a recording's first window, the largest first.

        Raises InvalidArgument for a model with one language and for an invalid recording.
        """
        if not self.languages:
            raise InvalidArgument("the model has one language, expected a multilingual model")
        _, frames = next(self._windows([audio]))
        probs = self._languages(self._encode(frames))
        return dict(sorted(probs.items(), key=lambda item: -item[1]))

    def logits(self, features: Recording, ids: Sequence[int]) -> Floats:
        """Return the logits after each token, teacher-forced: (tokens, vocab_size).

        ``features`` is a recording of at most 30 seconds; ``ids`` must start with the decoder
        start token. Raises InvalidArgument for an invalid recording and invalid or too many ids.
        """
        _, frames = next(self._windows([features]))
        self.tokenizer.check(ids)
        self._expect_positions("ids", len(ids))
        return logits(self._model, Sentence(list(ids), self._encode(frames)))

    def hidden_states(self, features: Recording) -> Floats:
        """Return the encoder's output for the first window of a recording: (states, hidden_size).

        Raises InvalidArgument for an invalid recording.
        """
        _, frames = next(self._windows([features]))
        return self._encode(frames).hidden_states(0)

    def _check(self, language: str | None, task: str) -> None:
        tasks = self.config["task_token_ids"] or {"transcribe": None}
        if task not in tasks:
            raise InvalidArgument(f"task is {task!r}, expected one of {', '.join(tasks)}")
        if language is not None and language not in self.languages:
            known = ", ".join(self.languages)
            expected = f"one of {known}" if known else "None: the model has one language"
            raise InvalidArgument(f"language is {language!r}, expected {expected}")

    def _windows(self, recordings: Sequence[Recording]) -> Iterator[tuple[int, Floats]]:
        """Yield each window's frames, (frames, num_mels), with the index of its recording."""
        for index, recording in enumerate(recordings):
            try:
                array = _array(recording)
                if array.ndim == 2:
                    yield index, self._features(array)
                else:
                    yield from ((index, frames) for frames in self._sound(array))
            except InvalidArgument as error:
                raise InvalidArgument(f"recording {index}: {error}") from None

    def _batch(
        self,
        windows: list[tuple[int, Floats]],
        languages: dict[int, str | None],
        task: str,
        search: CompiledOptions,
    ) -> Iterator[tuple[int, Result]]:
        """Return the index of its recording and the result for each window.

        A language that is not yet known is detected and stored in ``languages``.
        """
        sentences = []
        for index, frames in windows:
            source = self._encode(frames)
            if languages[index] is None and self.languages:
                probs = self._languages(source)
                languages[index] = max(probs, key=probs.__getitem__)
            sentences.append(Sentence(self._prompt(languages[index], task), source))
        results = self._results(sentences, search)
        return zip((index for index, _ in windows), results, strict=True)

    def _features(self, mel: Recording) -> Floats:
        mels, longest = self._model.num_mels, self._model.max_frames
        if max(mel.shape) > longest and min(mel.shape) <= _MOST_CHANNELS and mel.shape[0] != mels:
            raise InvalidArgument(
                f"audio has shape {mel.shape}, which looks like several channels, expected one: "
                "take their mean first"
            )
        fits = mel.shape[0] == mels and 0 < mel.shape[1] <= longest and mel.dtype.kind == "f"
        if not fits or not np.isfinite(mel).all():
            raise InvalidArgument(
                f"features have shape {mel.shape} and dtype {mel.dtype}, expected finite floats "
                f"({mels}, 1 to {longest})"
            )
        return np.ascontiguousarray(mel.T, np.float32)

    def _sound(self, samples: Recording) -> Iterator[Floats]:
        """Yield the log-mel frames of each window; silence pads the last window."""
        size = self._model.max_frames * HOP
        if samples.ndim != 1 or samples.dtype.kind != "f":
            raise InvalidArgument(
                f"audio has shape {samples.shape} and dtype {samples.dtype}, expected one channel "
                f"of floats between -1 and 1 at {SAMPLE_RATE} Hz"
            )
        for start in range(0, max(len(samples), 1), size):
            window = np.zeros(size, np.float32)
            window[: len(samples) - start] = samples[start : start + size]
            yield np.ascontiguousarray(log_mel(window, self._model.num_mels).T)

    def _encode(self, frames: Floats) -> _core.Encoded:
        return self._model.encode(frames, [len(frames)])

    def _languages(self, source: _core.Encoded) -> dict[str, float]:
        """Return each language's probability as first token, normalised over the languages."""
        first = logits(self._model, Sentence([self._start_token], source))[0]
        values = first[list(self.languages.values())].astype(np.float64)
        weights = np.exp(values - values.max())
        return dict(zip(self.languages, (weights / weights.sum()).tolist(), strict=True))

    def _prompt(self, language: str | None, task: str) -> list[int]:
        """Return the decoder's first tokens: start, language, task, no timestamps."""
        ids = [self._start_token, self.languages.get(language or "")]
        ids += [self.config["task_token_ids"].get(task), self.config["no_timestamps_token_id"]]
        return [i for i in ids if i is not None]

    def _results(self, sentences: list[Sentence], search: CompiledOptions) -> list[Result]:
        default = self._model.max_positions // 2
        tasks = [self._task(sentence, search, default) for sentence in sentences]
        found = self._decode(tasks, search.options.max_batch_size)
        return [
            to_result(one, [], self.tokenizer, sentence.tokens)
            for one, sentence in zip(found, sentences, strict=True)
        ]


def _listed(audio: object) -> list[Recording]:
    """Return the recordings of a list; refuse what is no list of arrays."""
    if not isinstance(audio, (list, tuple)):
        raise InvalidArgument(f"audio is {_describe(audio)}, {_EXPECTED}, or a list of such")
    if audio and isinstance(audio[0], (int, float)):
        raise InvalidArgument(f"audio is a list of {len(audio)} numbers, {_EXPECTED}")
    return list(audio)


def _array(recording: object) -> Recording:
    if not isinstance(recording, np.ndarray):
        raise InvalidArgument(f"audio is {_describe(recording)}, {_EXPECTED}")
    return recording


def _describe(value: object) -> str:
    return f"{value!r:.80} ({type(value).__name__})"
