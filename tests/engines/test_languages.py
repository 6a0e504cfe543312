"""Models of several languages, and forced first tokens of a target."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine.engines.languages import direction
from attnengine.errors import FormatError, InvalidArgument

WriteModel = Callable[..., Path]
LANGUAGES = {"eng_Latn": 6, "deu_Latn": 7, "deu_Grek": 8}
TOKENS = ["<s>", "</s>", *"abcd", *LANGUAGES]
START, END = 0, 1


def load(write_model: WriteModel, **changes: Any) -> ae.Seq2Seq:
    config = {
        "tokenizer": dict.fromkeys(("source", "target"), "words"),
        **dict.fromkeys(("source_vocab_size", "target_vocab_size"), len(TOKENS)),
        "source_unk_token_id": None,
        **changes,
    }
    folder = write_model("transformer", dict.fromkeys(("source", "target"), TOKENS), **config)
    model = ae.load(folder, num_threads=1)
    assert isinstance(model, ae.Seq2Seq)
    return model


def multilingual(write_model: WriteModel, place: str = "before", **changes: Any) -> ae.Seq2Seq:
    keys = {"source_language": "eng_Latn", "target_language": None, "language_place": place}
    return load(write_model, **{"languages": LANGUAGES, **keys, **changes})


def greedy(model: ae.Seq2Seq, source: list[int], target: list[int], count: int) -> list[int]:
    """The greedy continuation of exact ids; the first step excludes the end token."""
    for _ in range(count):
        logits = model.logits(source, target)[-1].copy()
        logits[END] = -np.inf
        target = [*target, int(logits.argmax())]
    return target


OPTIONS: dict[str, Any] = {"beam_size": 1, "max_new_tokens": 4, "min_new_tokens": 4}


@pytest.mark.parametrize(
    ("place", "source", "target"),
    [("before", [6, 2, 3, END], [START, 7]), ("behind", [2, 3, END, 6], [7])],
)
def test_languages_stand_where_the_config_says(
    write_model: WriteModel, place: str, source: list[int], target: list[int]
) -> None:
    model = multilingual(write_model, place)
    result = model.translate("a b", target_language="deu_Latn", **OPTIONS)
    best = result.hypotheses[0]
    expected = greedy(model, source, target, 4)
    assert best.ids == expected[1:]
    assert best.tokens[:1] == (["deu_Latn"] if place == "before" else [TOKENS[expected[1]]])
    assert len(best.token_log_probs) == 4  # the language token has no score
    free = model.translate("a b", target_language="deu_Latn", beam_size=1, min_new_tokens=0)
    ids = [START, *free.hypotheses[0].ids] if place == "before" else [7, *free.hypotheses[0].ids]
    end = [END] * (free.hypotheses[0].finish_reason == "stop")
    by_ids = model.score(source, ids + end).token_log_probs[len(target) - 1 :]
    assert free.hypotheses[0].token_log_probs == pytest.approx(by_ids, abs=1e-5)  # float32
    streamed = model.stream("a b", target_language="deu_Latn", **OPTIONS)
    assert "".join(streamed) == result.text


def test_a_score_is_that_of_the_translation(write_model: WriteModel) -> None:
    model = multilingual(write_model)
    pair = {"source_language": "deu_Latn", "target_language": "deu_Grek"}
    score = model.score(["a b"], ["c d"], **pair)[0]
    assert score.tokens == ["c", "d", "</s>"]
    by_ids = model.score([7, 2, 3, END], [START, 8, 4, 5, END])
    assert score.token_log_probs == by_ids.token_log_probs[1:]


def test_defaults_and_prefixes(write_model: WriteModel) -> None:
    model = multilingual(write_model, target_language="deu_Grek")
    best = model.translate(["a"], prefix=["b c"], **OPTIONS)[0].hypotheses[0]
    assert best.ids[:3] == [8, 3, 4]
    assert best.ids == greedy(model, [6, 2, END], [START, 8, 3, 4], 4)[1:]
    assert len(best.token_log_probs) == 4


def test_languages_that_a_model_lacks(write_model: WriteModel, seq2seq: ae.Seq2Seq) -> None:
    model = multilingual(write_model)
    with pytest.raises(InvalidArgument, match=r"target_language is None, .*: deu_Grek, "):
        model.translate("a")
    expected = "source_language is 'deu', expected a language of the model: deu_Latn, deu_Grek$"
    with pytest.raises(InvalidArgument, match=expected):
        model.translate("a", source_language="deu", target_language="deu_Latn")
    for option in ({"source_language": "en"}, {"target_language": "en"}):
        with pytest.raises(
            InvalidArgument, match="is 'en', expected None: the model has no languages"
        ):
            seq2seq.translate("a", **option)  # type: ignore[call-overload]
        with pytest.raises(
            InvalidArgument, match="is 'en', expected None: the model has no languages"
        ):
            seq2seq.score([2], [0, 2], **option)
    with pytest.raises(InvalidArgument, match="'target_lang', did you mean 'target_language'"):
        model.translate("a", target_lang="deu_Latn")  # type: ignore[call-overload]
    assert model.score([6, 2], [START, 2]).ids == [2]  # exact ids need no language


def test_many_languages_are_not_all_listed() -> None:
    config = {"languages": {f"{i:03}": i for i in range(100)}, "target_language": None}
    config |= {"add_source_bos": False, "add_source_eos": False, "source_language": "001"}
    with pytest.raises(InvalidArgument, match=r"000, 001, 002, 003, 004, 005, 006, 007 or 92 oth"):
        direction({**config, "decoder_start_token_id": 0})


def test_a_forced_first_token(write_model: WriteModel) -> None:
    model = load(write_model, forced_bos_token_id=5)
    best = model.translate("a", **OPTIONS).hypotheses[0]
    assert best.ids == greedy(model, [2, END], [START, 5], 4)[1:]
    assert len(best.token_log_probs) == 4
    assert model.score("a", "b").tokens == ["b", "</s>"]


@pytest.mark.parametrize("options", [{"beam_size": 3}, {"seed": 1, "num_hypotheses": 3}])
def test_tokens_that_are_never_first(write_model: WriteModel, options: dict[str, Any]) -> None:
    plain = load(write_model)
    texts = ["a b", "c", "d a b"]
    free = plain.translate(texts, max_batch_size=2, max_new_tokens=6, **options)
    first = sorted({hypothesis.ids[0] for one in free for hypothesis in one.hypotheses})
    model = load(write_model, begin_suppress_tokens=first)
    found = model.translate(texts, max_batch_size=2, max_new_tokens=6, **options)
    hypotheses = [hypothesis for one in found for hypothesis in one.hypotheses]
    assert not {hypothesis.ids[0] for hypothesis in hypotheses} & set(first)
    assert {i for hypothesis in hypotheses for i in hypothesis.ids[1:]} & set(first)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"languages": {}}, "languages is {}, expected ids below 9 by name"),
        ({"languages": {"a": 9}}, "languages is {'a': 9}"),
        ({"language_place": "left"}, "language_place is 'left', expected 'before' or 'behind'"),
        ({"source_language": "fra"}, "source_language is 'fra', expected null or one of"),
        ({"forced_bos_token_id": 9}, "forced_bos_token_id is 9"),
        ({"begin_suppress_tokens": [1, 1]}, r"begin_suppress_tokens is \[1, 1\]"),
    ],
)
def test_configs_that_do_not_fit(
    write_model: WriteModel, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises((FormatError, InvalidArgument), match=message):
        multilingual(write_model, **changes)
