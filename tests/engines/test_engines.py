from __future__ import annotations

import inspect
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae

CORE = "attnengine._core"
WriteModel = Any  # the fixture of conftest.py


def test_load_returns_the_engine_of_the_architecture(
    seq2seq_path: Path, lm_path: Path, write_model: WriteModel
) -> None:
    assert isinstance(ae.load(seq2seq_path), ae.Seq2Seq)
    assert isinstance(ae.load(str(lm_path)), ae.LanguageModel)
    assert isinstance(ae.load(write_model("rnn_encoder")), ae.Encoder)


def test_load_by_kind(seq2seq_path: Path, lm_path: Path, write_model: WriteModel) -> None:
    assert isinstance(ae.load_seq2seq(seq2seq_path), ae.Seq2Seq)
    assert ae.load_language_model(lm_path, precision="int8").precision == "int8"
    assert isinstance(ae.load_encoder(write_model("rnn_encoder")), ae.Encoder)
    with pytest.raises(ae.InvalidArgument, match="holds a Seq2Seq, expected a LanguageModel"):
        ae.load_language_model(seq2seq_path)
    with pytest.raises(ae.InvalidArgument, match="holds a LanguageModel, expected a SpeechToText"):
        ae.load_speech_to_text(lm_path)


@pytest.mark.parametrize("kind", [ae.Encoder, ae.LanguageModel, ae.Seq2Seq, ae.SpeechToText])
def test_public_signatures_name_no_compiled_types(kind: type) -> None:
    for _, method in inspect.getmembers(kind, inspect.isfunction):
        named = re.findall(r"\w+", " ".join(method.__annotations__.values()))
        found = {name: method.__globals__.get(name) for name in named}
        if not method.__name__.startswith("_"):
            assert "_core" not in found
            assert [x for x in found.values() if getattr(x, "__module__", "") == CORE] == []


@pytest.mark.parametrize(
    ("option", "error", "message"),
    [
        ({"precision": "int7"}, ae.Unsupported, "precision is 'int7', expected one of 'float32'"),
        ({"precision": None}, ae.Unsupported, "precision is None"),
        ({"num_workers": 0}, ae.InvalidArgument, "num_workers is 0, expected None or"),
        ({"num_threads": 0}, ae.InvalidArgument, "num_threads is 0, expected None or"),
        ({"num_threads": 1.5}, ae.InvalidArgument, "num_threads is 1.5"),
    ],
)
def test_options_of_load(
    lm_path: Path, option: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ae.load(lm_path, **option)


def test_nothing_to_load(tmp_path: Path) -> None:
    with pytest.raises(ae.InvalidArgument, match="nowhere does not exist"):
        ae.load(tmp_path / "nowhere")


def test_threads(lm_path: Path) -> None:
    assert ae.load(lm_path, num_threads=2).num_threads == 2
    model = ae.load(lm_path)
    assert model.num_threads >= 1
    model.num_threads = 3
    assert pickle.loads(pickle.dumps(model)).num_threads == 3
    with pytest.raises(ae.InvalidArgument, match="num_threads is 0"):
        model.num_threads = 0


def test_repr_tells_architecture_sizes_and_threads(lm: ae.LanguageModel) -> None:
    assert repr(lm) == (
        "LanguageModel(rnn_lm, vocab_size=10, embedding_size=6, hidden_size=8, num_layers=2,"
        " precision=float32, num_threads=1)"
    )


def test_engines_pickle_as_path_and_options(
    seq2seq: ae.Seq2Seq, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert len(pickle.dumps(seq2seq)) < 1000  # no weights
    wanted = seq2seq.translate("abc")
    monkeypatch.chdir(seq2seq.path.parent)
    pickled = pickle.dumps(ae.load(seq2seq.path.name, num_threads=2))
    monkeypatch.chdir(tmp_path)  # where the relative path leads nowhere
    copy = pickle.loads(pickled)
    assert copy.num_threads == 2
    assert copy.translate("abc") == wanted


def test_text_tokens_and_ids_are_the_same_source(seq2seq: ae.Seq2Seq) -> None:
    wanted = seq2seq.translate("abc")
    assert seq2seq.translate(["abc"]) == [wanted]
    assert seq2seq.translate([["a", "b", "c"]]) == [wanted]
    assert seq2seq.translate([2, 3, 4]) == wanted
    assert seq2seq.translate(np.array([2, 3, 4])) == wanted
    assert seq2seq.translate([[2, 3, 4]]) == [wanted]
    assert seq2seq.translate("xyz") == seq2seq.translate([0, 0, 0])  # unknown characters


def test_nothing_and_empty_sources(seq2seq: ae.Seq2Seq) -> None:
    assert seq2seq.translate([]) == []
    empty = ae.Result([ae.Hypothesis("", [], [], 0.0, 0.0, [], "stop")])
    assert seq2seq.translate("", num_hypotheses=5) == empty
    assert seq2seq.translate([[]]) == [empty]
    results = seq2seq.translate(["abc", "", "de"])
    assert results == [seq2seq.translate("abc"), empty, seq2seq.translate("de")]
    asked = seq2seq.translate("", return_attention=True, return_tree=True)
    assert asked.hypotheses[0].attention is not None
    assert asked.hypotheses[0].attention.shape == (0, 0)
    assert asked.tree is not None
    assert asked.tree.ids.tolist() == [0]
    assert list(seq2seq.stream("")) == []


def test_default_lengths(seq2seq: ae.Seq2Seq, lm: ae.LanguageModel) -> None:
    def length(result: ae.Result) -> int:
        assert result.hypotheses[0].finish_reason == "length"
        return len(result.hypotheses[0].ids)

    assert length(seq2seq.translate("abc", rules=[never_end])) == 2 * 3 + 10
    assert length(seq2seq.translate("abc", prefix="P1 P1", rules=[never_end])) == 2 + 2 * 3 + 10
    assert length(seq2seq.translate("abc", min_new_tokens=20)) == 20
    assert length(seq2seq.translate("abc", max_tokens=3, rules=[never_end])) == 3
    assert length(lm.generate("ab", rules=[never_end])) == 256


def test_minimum_length(seq2seq: ae.Seq2Seq, lm: ae.LanguageModel) -> None:
    def wants_to_end(logits: Any, search: Any) -> None:
        logits[:, 1] += 100

    assert len(seq2seq.translate("abc", rules=[wants_to_end]).hypotheses[0].ids) == 1
    result = seq2seq.translate("abc", min_new_tokens=0, rules=[wants_to_end])
    assert (result.text, result.hypotheses[0].finish_reason) == ("", "stop")
    assert lm.generate("ab", rules=[wants_to_end]).text == ""
    assert len(lm.generate("ab", min_new_tokens=3, rules=[wants_to_end]).text) == 3


def test_several_end_tokens(write_model: WriteModel) -> None:
    model = ae.load(write_model("rnn_lm", eos_token_id=[1, 5]))
    assert isinstance(model, ae.LanguageModel)

    def alternate(logits: Any, search: Any) -> None:
        logits[:] = -np.inf
        logits[:, 2 if len(steps) < 2 else 5] = 0
        steps.append(1)

    steps: list[int] = []
    result = model.generate("ab", rules=[alternate])
    assert (result.text, result.hypotheses[0].finish_reason) == ("aa", "stop")
    assert result.hypotheses[0].log_prob == 0


def test_a_model_without_end_token_runs_to_the_maximum(write_model: WriteModel) -> None:
    model = ae.load(write_model("rnn_lm", eos_token_id=None))
    assert isinstance(model, ae.LanguageModel)
    assert model.generate("ab", max_new_tokens=7).hypotheses[0].finish_reason == "length"


def test_begin_tokens_of_a_language_model(write_model: WriteModel, lm: ae.LanguageModel) -> None:
    bare = ae.load(write_model("rnn_lm", bos_token_id=None))
    assert isinstance(bare, ae.LanguageModel)
    assert bare.generate([0, 2, 3], max_new_tokens=5) == lm.generate("ab", max_new_tokens=5)
    assert len(bare.score("abc").token_log_probs) == 2
    assert lm.generate("", max_new_tokens=5) == bare.generate([0], max_new_tokens=5)
    with pytest.raises(ae.InvalidArgument, match="the prompt has no tokens, expected at least one"):
        bare.generate("")
    with pytest.raises(ae.InvalidArgument, match="text 1: the prompt has no tokens"):
        bare.generate(["a", ""])
    assert bare.score("").token_log_probs == []


def test_source_begin_and_end_tokens(write_model: WriteModel, seq2seq: ae.Seq2Seq) -> None:
    both = ae.load(write_model("rnn_seq2seq", add_source_bos=True, source_bos_token_id=5))
    none = ae.load(write_model("rnn_seq2seq", add_source_eos=False))
    assert isinstance(both, ae.Seq2Seq)
    assert isinstance(none, ae.Seq2Seq)
    options: Any = {"max_new_tokens": 8}
    exact = none.translate([[5, 2, 3, 1], [2, 3, 1]], **options)
    assert exact == [both.translate("ab", **options), seq2seq.translate("ab", **options)]


def test_models_of_ids(write_model: WriteModel, seq2seq: ae.Seq2Seq) -> None:
    kinds = {"source": "none", "target": "none"}
    model = ae.load(write_model("rnn_seq2seq", {}, tokenizer=kinds))
    assert isinstance(model, ae.Seq2Seq)
    best = model.translate([2, 3, 4]).hypotheses[0]
    assert best.ids == seq2seq.translate("abc").hypotheses[0].ids
    assert best.text == " ".join(map(str, best.ids))
    assert model.translate("2 3 4").hypotheses[0] == best


@pytest.fixture(scope="module")
def transformer(write_model: WriteModel) -> ae.Seq2Seq:
    model = ae.load(write_model("transformer"), num_threads=1)
    assert isinstance(model, ae.Seq2Seq)
    return model


def never_end(logits: Any, search: Any) -> None:
    logits[:, 1] = -np.inf


def test_positions_limit_source_and_new_tokens(transformer: ae.Seq2Seq) -> None:
    # 12 positions: the start token takes one, and 11 new tokens take the others. The 12th new
    # token is not fed to the model.
    longest = transformer.translate("abcdefga", rules=[never_end]).hypotheses[0]
    assert (len(longest.ids), longest.finish_reason) == (12, "length")
    asked = transformer.translate("abcdefga", max_new_tokens=99, rules=[never_end])
    assert asked.hypotheses[0] == longest
    prefix = ["P1"] * 11
    full = transformer.translate([[2, 3]], prefix=[prefix], rules=[never_end])[0].hypotheses[0]
    assert len(full.ids) == 12
    with pytest.raises(ae.InvalidArgument, match=r"text 0: the prefix has 13 tokens.* at most 12"):
        transformer.translate([[2, 3]], prefix=[[*prefix, "P1"]])
    with pytest.raises(ae.InvalidArgument, match=r"text 1: the source has 13 tokens.* at most 12"):
        transformer.translate(["a", "abcdabcdabcd"])  # 12 characters and the end token
    with pytest.raises(ae.InvalidArgument, match="the target has 13 tokens"):
        transformer.score("a", "P1 " * 12)
    assert len(transformer.score("a", "P1 " * 11).tokens) == 12


def test_transformers_attend_with_their_last_layer(transformer: ae.Seq2Seq) -> None:
    texts = ["abc", "gfedcba", "d"]
    results = transformer.translate(texts, prefix=["P1 P2", "", "P3"], return_attention=True)
    for text, result in zip(texts, results, strict=True):
        hypothesis = result.hypotheses[0]
        assert hypothesis.attention is not None
        assert hypothesis.attention.shape == (len(hypothesis.ids), len(text) + 1)
        np.testing.assert_allclose(hypothesis.attention.sum(axis=1), 1, rtol=1e-5)
    alone = transformer.translate("abc", prefix="P1 P2", return_attention=True).hypotheses[0]
    np.testing.assert_array_equal(alone.attention, results[0].hypotheses[0].attention)


def test_transformers_do_not_depend_on_the_batch(transformer: ae.Seq2Seq) -> None:
    texts = ["abc", "gfedcba", "d", "", "hgf"]
    options: Any = {"num_hypotheses": 5, "max_new_tokens": 9}
    alone = [transformer.translate(text, **options) for text in texts]
    for max_batch_size in (1, 2, 32):
        together = transformer.translate(texts, max_batch_size=max_batch_size, **options)
        assert together == alone
    pairs = [result.text for result in alone]
    scores = [transformer.score(*pair) for pair in zip(texts, pairs, strict=True)]
    assert transformer.score(texts, pairs) == scores


def test_many_threads_may_call_one_engine(seq2seq: ae.Seq2Seq) -> None:
    texts = ["abc", "de", "gfedcba", "h"] * 4
    wanted = [seq2seq.translate(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(seq2seq.translate, texts)) == wanted


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.translate("abc", beam_sise=3), "did you mean 'beam_size'"),
        (lambda m: m.translate("abc", num_hypotheses=6), "num_hypotheses is 6, expected at most"),
        (lambda m: m.translate([2, 99]), "id 99 at position 1, expected 0 to 9"),
        (lambda m: m.translate(["a", 1]), "expected a text like"),
        (
            lambda m: m.translate("abc", prefix="P1 PX"),
            "token 'PX' at position 1 is not in the tar",
        ),
        (
            lambda m: m.translate(["a", "b"], prefix="P1"),
            "prefix is one text, expected a list of 2",
        ),
        (lambda m: m.stream(["abc"]), "source is a list of texts, expected one text to stream"),
        (lambda m: m.stream("abc", beam_size=0), "beam_size is 0"),
        (lambda m: m.stream("abc", num_hypotheses=2), "num_hypotheses is 2"),
        (lambda m: m.translate("a\ud800"), "half of a surrogate pair"),
        (lambda m: m.translate(None), "source is None"),
    ],
)
def test_errors_come_at_the_call(seq2seq: ae.Seq2Seq, call: Any, message: str) -> None:
    with pytest.raises(ae.InvalidArgument, match=message):
        call(seq2seq)  # a stream raises the error before its first piece


def test_no_attention_to_return(write_model: WriteModel) -> None:
    changes = {"attention": "none", "attention_size": None, "readout_inputs": ["hidden"]}
    model = ae.load(write_model("rnn_seq2seq", **changes))
    assert isinstance(model, ae.Seq2Seq)
    with pytest.raises(
        ae.InvalidArgument, match=r"return_attention is True, .* the model has no attention"
    ):
        model.translate("abc", return_attention=True)
    assert model.translate("abc").text


def test_a_model_that_does_not_say_where_to_start(write_model: WriteModel) -> None:
    with pytest.raises(ae.FormatError, match="decoder_start_token_id"):
        ae.load(write_model("rnn_seq2seq", decoder_start_token_id=None))


def test_hidden_states_of_a_seq2seq(seq2seq: ae.Seq2Seq) -> None:
    assert seq2seq.hidden_states([2, 3, 1]).shape == (3, 14)


def test_pickle_after_a_change_of_directory(
    write_model: WriteModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_model("rnn_lm")
    monkeypatch.chdir(path.parent)
    model = ae.load(path.name)
    monkeypatch.chdir(tmp_path)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.logits([2, 3]), model.logits([2, 3]))


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\u00a0", "\u3000", "\u200b\ufeff"])
def test_a_source_that_shows_nothing_has_an_empty_translation(text: str) -> None:
    model = ae.g2p.load_g2p()
    assert model.translate(text).text == ""
    assert [one.text for one in model.translate([text, "beam"])] == ["", "B IY1 M"]
    assert "".join(model.stream(text)) == ""
