"""Decoding through whole engines against the models and the search of the NumPy reference."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import attnengine as ae
from attnengine import loaders
from attnengine.reference.beam_search import BeamSearchResult, Options, beam_search
from attnengine.reference.rnn_lm import RnnLM
from attnengine.reference.rnn_seq2seq import RnnSeq2Seq

END = 1
TEXTS = ["abc", "h", "gfedcba", "", "abba", "hhhhhhhhhhhh", "de"]
# float32 kernels against float32 NumPy, summed in another order
CLOSE = {"rtol": 1e-4, "atol": 1e-4}


def weights(engine: ae.Seq2Seq | ae.LanguageModel) -> dict[str, NDArray[np.float32]]:
    return {name: t.read() for name, t in loaders.load(engine.path).tensors.items()}


def source_ids(engine: ae.Seq2Seq, text: str) -> list[int]:
    return [*engine.source_tokenizer.encode(text), END]


def expected(engine: ae.Seq2Seq, text: str, prefix: list[int], **options: Any) -> BeamSearchResult:
    """The result of beam search over the reference model after ``prefix``."""
    model = RnnSeq2Seq(engine.config, weights(engine))
    source = source_ids(engine, text)
    options = {"beam_size": 5, "min_new_tokens": 1, "max_new_tokens": 2 * len(text) + 10, **options}
    return beam_search(
        lambda tokens: model.logits(source, [0, *prefix, *tokens])[-1],
        Options(
            end_tokens=[END],
            **options,
        ),
    )


def assert_found(result: ae.Result, wanted: BeamSearchResult, prefix: list[int]) -> None:
    assert len(result.hypotheses) == len(wanted.hypotheses)
    for mine, theirs in zip(result.hypotheses, wanted.hypotheses, strict=True):
        assert mine.ids == [*prefix, *theirs.tokens]
        assert mine.finish_reason == theirs.finish_reason
        np.testing.assert_allclose(mine.log_prob, theirs.log_prob, **CLOSE)
        np.testing.assert_allclose(mine.score, theirs.score, **CLOSE)
        np.testing.assert_allclose(mine.token_log_probs, theirs.token_log_probs, **CLOSE)
        assert math.isclose(sum(mine.token_log_probs), mine.log_prob, rel_tol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"beam_size": 1},
        {"beam_size": 3, "num_hypotheses": 3},
        {"num_hypotheses": 4, "stopping": "optimal", "length_penalty": 0.5},
        {"beam_size": 2, "num_candidates": 4, "num_hypotheses": 4},
        {"min_new_tokens": 4, "max_new_tokens": 5},
        {"max_new_tokens": 1, "beam_size": 20, "num_hypotheses": 5},
    ],
)
def test_translate_finds_what_the_reference_finds(
    seq2seq: ae.Seq2Seq, options: dict[str, Any]
) -> None:
    for text in ("abc", "h", "gfed"):
        assert_found(seq2seq.translate(text, **options), expected(seq2seq, text, [], **options), [])


def test_forced_prefix(seq2seq: ae.Seq2Seq) -> None:
    prefix = [4, 2, 3]
    result = seq2seq.translate("abc", prefix="P2 P0 P1", num_hypotheses=2)
    assert_found(result, expected(seq2seq, "abc", prefix, num_hypotheses=2), prefix)
    assert result.text.startswith("P2 P0 P1")
    assert seq2seq.translate("abc", prefix=prefix, num_hypotheses=2) == result
    many = seq2seq.translate(["abc", "abc"], prefix=[["P2", "P0", "P1"], []], num_hypotheses=2)
    assert many == [result, seq2seq.translate("abc", num_hypotheses=2)]


def test_generate_finds_what_the_reference_finds(lm: ae.LanguageModel) -> None:
    model = RnnLM(lm.config, weights(lm))
    for beam_size in (1, 4):
        wanted = beam_search(
            lambda tokens: model.logits([0, 2, 3, *tokens])[-1],
            Options(
                end_tokens=[END],
                beam_size=beam_size,
                max_new_tokens=12,
            ),
        )
        result = lm.generate("ab", beam_size=beam_size, max_new_tokens=12)
        assert_found(result, wanted, [])


@pytest.mark.parametrize("max_batch_size", [1, 2, 32])
def test_results_do_not_depend_on_the_batch(seq2seq: ae.Seq2Seq, max_batch_size: int) -> None:
    options: Any = {"num_hypotheses": 3, "max_batch_size": max_batch_size}
    alone = [seq2seq.translate(text, num_hypotheses=3) for text in TEXTS]
    assert seq2seq.translate(TEXTS, **options) == alone  # bit for bit, in their order
    assert seq2seq.translate(TEXTS[::-1], **options) == alone[::-1]


@pytest.mark.parametrize("max_batch_size", [1, 3])
def test_samples_do_not_depend_on_the_batch(lm: ae.LanguageModel, max_batch_size: int) -> None:
    options: Any = {"seed": 5, "temperature": 1.3, "num_hypotheses": 2, "max_new_tokens": 15}
    prompts = ["ab", "c", "", "dead", "ab"]
    together = lm.generate(prompts, max_batch_size=max_batch_size, **options)
    assert together == [lm.generate(prompt, **options) for prompt in prompts]


def test_seeds(lm: ae.LanguageModel) -> None:
    def text(**options: Any) -> str:
        return lm.generate(
            "ab", temperature=2.0, max_new_tokens=40, min_new_tokens=40, **options
        ).text

    assert text(seed=1) == text(seed=1)
    assert text(seed=1) != text(seed=2)
    assert text() != text()  # 40 tokens of a nearly flat distribution do not repeat by chance


def test_top_1_is_greedy(lm: ae.LanguageModel) -> None:
    sampled = lm.generate("ab", top_k=1, max_new_tokens=12)
    assert sampled.hypotheses[0].ids == lm.generate("ab", max_new_tokens=12).hypotheses[0].ids


def test_attention_is_that_of_every_token(seq2seq: ae.Seq2Seq) -> None:
    model = RnnSeq2Seq(seq2seq.config, weights(seq2seq))
    found = 0
    for text, prefix in [("abc", "P3"), ("gfedcba", ""), ("h", "P0 P4 P2"), ("abba", "P1 P1")]:
        results = seq2seq.translate(
            [text, "abcd", ""],
            prefix=[prefix, "", ""],
            num_hypotheses=4,
            return_attention=True,
            max_new_tokens=6,
        )
        source = source_ids(seq2seq, text)
        for hypothesis in results[0].hypotheses:
            wanted = model.attention(source, [0, *hypothesis.ids])[: len(hypothesis.ids)]
            assert hypothesis.attention is not None
            assert hypothesis.attention.shape == (len(hypothesis.ids), len(source))
            np.testing.assert_allclose(hypothesis.attention, wanted, **CLOSE)
            np.testing.assert_allclose(hypothesis.attention.sum(axis=1), 1, rtol=1e-5)
            found += hypothesis.finish_reason == "stop"
    assert found > 0  # some hypotheses have an end token, which has no row


def test_attention_only_when_asked_for(seq2seq: ae.Seq2Seq, lm: ae.LanguageModel) -> None:
    assert seq2seq.translate("abc").hypotheses[0].attention is None
    with pytest.raises(ae.InvalidArgument, match="no source to attend to"):
        lm.generate("ab", return_attention=True)


def test_tree_holds_every_hypothesis(seq2seq: ae.Seq2Seq) -> None:
    result = seq2seq.translate("abc", num_hypotheses=5, return_tree=True)
    tree = result.tree
    assert tree is not None
    assert (tree.ids[0], tree.parents[0], tree.log_probs[0]) == (0, -1, 0)
    paths = set()
    for node in range(len(tree.ids)):
        path, at = [], node
        while tree.parents[at] >= 0:
            path.append(int(tree.ids[at]))
            at = int(tree.parents[at])
        paths.add(tuple(path[::-1]))
    for hypothesis in result.hypotheses:
        ended = [END] if hypothesis.finish_reason == "stop" else []
        assert tuple(hypothesis.ids + ended) in paths
    assert seq2seq.translate("abc").tree is None


def test_rules_edit_the_logits(seq2seq: ae.Seq2Seq) -> None:
    seen = []

    def forbid(logits: NDArray[np.float32], search: Any) -> None:
        seen.append((logits.shape, len(search.tokens), len(search.sentences)))
        logits[:, 3:] = -np.inf

    results = seq2seq.translate(["abc", "de"], rules=[forbid], max_new_tokens=6)
    assert {i for result in results for i in result.hypotheses[0].ids} <= {0, 2}
    assert seen[0] == ((2, 11), 2, 2)
    assert all(shape == (tokens, 11) for shape, tokens, _ in seen)


def test_errors_of_a_rule_come_through(seq2seq: ae.Seq2Seq) -> None:
    def stop(logits: NDArray[np.float32], search: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seq2seq.translate("abc", rules=[stop])
    seq2seq.translate("abc")


@pytest.mark.parametrize("options", [{}, {"beam_size": 1}, {"stopping": "optimal"}, {"seed": 3}])
def test_streamed_pieces_join_to_the_text(seq2seq: ae.Seq2Seq, options: dict[str, Any]) -> None:
    for text in TEXTS:
        pieces = list(seq2seq.stream(text, **options))
        assert "".join(pieces) == seq2seq.translate(text, **options).text
        assert all(pieces)
    joined = "".join(seq2seq.stream("abc", prefix="P1 P2", **options))
    assert joined == seq2seq.translate("abc", prefix="P1 P2", **options).text


def test_a_stream_flows_while_the_search_runs(lm: ae.LanguageModel) -> None:
    steps = []
    stream = lm.stream(
        "ab", max_new_tokens=20, min_new_tokens=20, rules=[lambda logits, search: steps.append(1)]
    )
    next(stream)
    assert len(steps) == 1
    next(stream)
    assert len(steps) == 2
    stream.close()  # type: ignore[attr-defined]
    assert len(steps) == 2
    assert "".join(lm.stream("ab", max_new_tokens=9)) == lm.generate("ab", max_new_tokens=9).text
