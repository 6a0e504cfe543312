from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

import attnengine as ae
from attnengine import loaders
from attnengine.decoding import sentences
from attnengine.reference.rnn_lm import RnnLM
from attnengine.reference.rnn_seq2seq import RnnSeq2Seq
from attnengine.reference.softmax import log_softmax

END = 1
CLOSE = {"rtol": 1e-4, "atol": 1e-4}  # float32 sums in another order


def weights(engine: ae.Seq2Seq | ae.LanguageModel) -> dict[str, NDArray[np.float32]]:
    return {name: t.read() for name, t in loaders.load(engine.path).tensors.items()}


def test_seq2seq_score_is_the_log_softmax_of_the_targets(seq2seq: ae.Seq2Seq) -> None:
    model = RnnSeq2Seq(seq2seq.config, weights(seq2seq))
    logits = model.logits([2, 3, 4, END], [0, 5, 6])
    wanted = [log_softmax(row)[i] for row, i in zip(logits, [5, 6, END], strict=True)]
    scored = seq2seq.score("abc", "P3 P4")
    np.testing.assert_allclose(scored.token_log_probs, wanted, **CLOSE)
    assert scored.tokens == ["P3", "P4", "</s>"]
    assert math.isclose(scored.log_prob, sum(scored.token_log_probs))
    assert math.isclose(scored.perplexity, math.exp(-scored.log_prob / 3))
    assert seq2seq.score([["a", "b", "c"]], [["P3", "P4"]]) == [scored]
    assert seq2seq.score([2, 3, 4, END], [0, 5, 6, END]) == scored
    assert seq2seq.score("abc", [0, 5, 6, END]) == scored


def test_ids_are_scored_as_given(seq2seq: ae.Seq2Seq) -> None:
    model = RnnSeq2Seq(seq2seq.config, weights(seq2seq))
    logits = model.logits([2, 3], [0, 5])
    wanted = [log_softmax(row)[i] for row, i in zip(logits, [5, 6], strict=True)]
    scored = seq2seq.score([2, 3], np.array([0, 5, 6]))  # no end token anywhere
    np.testing.assert_allclose(scored.token_log_probs, wanted, **CLOSE)
    assert seq2seq.score([2, 3], [0]).token_log_probs == []


def test_score_agrees_with_translate(seq2seq: ae.Seq2Seq) -> None:
    results = seq2seq.translate(["abc", "de", "hhh"], num_hypotheses=5, min_new_tokens=0)
    stopped = 0
    for text, result in zip(["abc", "de", "hhh"], results, strict=True):
        for hypothesis in result.hypotheses:
            scored = seq2seq.score(text, hypothesis.text).token_log_probs
            length = len(hypothesis.token_log_probs)
            np.testing.assert_allclose(scored[:length], hypothesis.token_log_probs, **CLOSE)
            stopped += hypothesis.finish_reason == "stop"
    assert stopped > 0


def test_lm_score_has_no_end_token(lm: ae.LanguageModel) -> None:
    model = RnnLM(lm.config, weights(lm))
    logits = model.logits([0, 2, 3])  # begin token, a, b
    wanted = [log_softmax(row)[i] for row, i in zip(logits, [2, 3, 4], strict=True)]
    scored = lm.score("abc")
    np.testing.assert_allclose(scored.token_log_probs, wanted, **CLOSE)
    assert scored.tokens == ["a", "b", "c"]
    assert lm.score([0, 2, 3, 4]) == scored  # ids: exactly as given
    np.testing.assert_allclose(
        lm.score([2, 3, 4]).token_log_probs[0], model_log_prob(model), **CLOSE
    )


def model_log_prob(model: RnnLM) -> float:
    """Log-probability of b after a, without a begin token."""
    return float(log_softmax(model.logits([2])[-1])[3])


def test_scores_do_not_depend_on_the_batch(
    seq2seq: ae.Seq2Seq, lm: ae.LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources, targets = ["abc", "", "h", "gfedcba"], ["P1", "", "P2 P3 P4 P0", ""]
    pairs = [seq2seq.score(s, t) for s, t in zip(sources, targets, strict=True)]
    texts = [lm.score(text) for text in ["abc", "", "dead", "a"]]
    for max_batch_size in (1, 2, 32):
        assert seq2seq.score(sources, targets, max_batch_size=max_batch_size) == pairs
        assert lm.score(["abc", "", "dead", "a"], max_batch_size=max_batch_size) == texts
    monkeypatch.setattr(sentences, "_MAX_LOGITS", 3 * lm.config["vocab_size"])  # 3 rows a step
    assert lm.score(["abc", "", "dead", "a"]) == texts


def test_logits(seq2seq: ae.Seq2Seq, lm: ae.LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = RnnSeq2Seq(seq2seq.config, weights(seq2seq)).logits([2, 3, 4], [0, 5, 6, 7])
    np.testing.assert_allclose(seq2seq.logits([2, 3, 4], [0, 5, 6, 7]), wanted, **CLOSE)
    wanted = RnnLM(lm.config, weights(lm)).logits([2, 3, 4, 2])
    whole = lm.logits(np.array([2, 3, 4, 2]))
    np.testing.assert_allclose(whole, wanted, **CLOSE)
    monkeypatch.setattr(sentences, "_MAX_LOGITS", 1)  # one row a step
    np.testing.assert_array_equal(lm.logits([2, 3, 4, 2]), whole)


def test_what_cannot_be_scored(seq2seq: ae.Seq2Seq, lm: ae.LanguageModel) -> None:
    assert seq2seq.score("", "").log_prob == 0
    with pytest.raises(ae.InvalidArgument, match="the source has no tokens, expected an empty"):
        seq2seq.score("", "P1")
    with pytest.raises(ae.InvalidArgument, match="text 1: the source has no tokens"):
        seq2seq.score(["a", ""], ["P1", "P1"])
    with pytest.raises(ae.InvalidArgument, match="expected the decoder start token as its"):
        seq2seq.score([[2]], [[]])
    with pytest.raises(ae.InvalidArgument, match="target is one text, expected a list of 2"):
        seq2seq.score(["a", "b"], "P1")
    with pytest.raises(ae.InvalidArgument, match="target is a list of 3, expected a list of 2"):
        seq2seq.score(["a", "b"], ["P1"] * 3)
    with pytest.raises(ae.InvalidArgument, match="max_batch_size is 0"):
        lm.score("ab", max_batch_size=0)
    with pytest.raises(ae.InvalidArgument, match=r"ids is \[\], expected one list of ids"):
        lm.logits([])
    with pytest.raises(ae.InvalidArgument, match="source_ids is 'ab', expected one list of ids"):
        seq2seq.logits("ab", [0])
    with pytest.raises(ae.InvalidArgument, match="id 11 at position 1, expected 0 to 10"):
        seq2seq.logits([2], [0, 11])
    assert seq2seq.score([], []) == []
    assert lm.score([]) == []
