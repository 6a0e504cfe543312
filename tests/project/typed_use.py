"""A user's script: mypy reads it, nothing runs it. An error that is ignored here must be one."""

from __future__ import annotations

import numpy as np

import attnengine as ae


def translate(path: str) -> list[str]:
    model = ae.load_seq2seq(path, precision="int8", num_threads=2)
    best: ae.Result = model.translate("one text", beam_size=3, target_language="de")
    options: ae.TranslationOptions = {"beam_size": 2, "source_language": "en"}
    several = model.translate(["two", "texts"], **options)
    tokens: list[str] = best.hypotheses[0].tokens
    return [best.text, *tokens, *(result.text for result in several)]


def generate(path: str, load_options: ae.LoadOptions) -> str:
    model = ae.load_language_model(path, **load_options)
    options: ae.Options = {"max_new_tokens": 9, "seed": 1}
    log_prob: float = model.score("a text").log_prob
    return "".join(model.stream("a prompt", **options)) + str(log_prob)


def encode(path: str) -> float:
    model = ae.load_encoder(path)
    state: ae.EncoderState = model.new_state()
    return float(model.hidden_states([1, 2], state=state).sum() + model.encode("a text").sum())


def transcribe(path: str) -> str:
    model = ae.load_speech_to_text(path)
    return model.transcribe(np.zeros(16000, np.float32), language="en").text


def by_path(path: str) -> str:
    model = ae.load(path)
    if isinstance(model, ae.Seq2Seq):
        return model.translate("a text").text
    return ae.g2p.pronounce("text").upper()


def wrong(path: str) -> None:
    ae.load_seq2seq(path, precison="int8")  # type: ignore[call-arg]
    ae.load(path).translate("a text")  # type: ignore[union-attr]
    ae.load_seq2seq(path).translate("a text", beam_size="5")  # type: ignore[call-overload]
    ae.load_language_model(path).generate("a prompt").txt  # type: ignore[attr-defined]  # noqa: B018
