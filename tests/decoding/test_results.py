from __future__ import annotations

import json
import math

import numpy as np

from attnengine.decoding.results import BeamTree, Hypothesis, Result, Score

BEST = Hypothesis("a b", ["a", "b"], [4, 5], -0.5, -1.5, [-0.25, -0.5, -0.75], "stop")
TREE = BeamTree(
    np.array([0, 4], np.int32), np.array([-1, 0], np.int32), np.zeros(2), np.array([False, True])
)


def test_a_result_stands_for_its_best_hypothesis() -> None:
    other = Hypothesis("c", ["c"], [6], -0.7, -1.4, [-0.7, -0.7], "stop")
    result = Result([BEST, other])
    assert (result.text, result.score) == ("a b", -0.5)
    assert repr(result) == "Result(text='a b', score=-0.5000, 2 hypotheses)"


def test_hypotheses_with_attention_compare() -> None:
    one = Hypothesis("c", ["c"], [6], -0.7, -1.4, [-1.4], "stop", np.ones((1, 2), np.float32))
    other = Hypothesis("c", ["c"], [6], -0.7, -1.4, [-1.4], "stop", np.ones((1, 2), np.float32))
    assert one == other


def test_dictionaries_are_json() -> None:
    attended = Hypothesis("a", ["a"], [4], -math.inf, -1.0, [-1.0], "length", np.ones((1, 2)))
    fields = json.loads(json.dumps(Result([BEST, attended], TREE).to_dict(), allow_nan=False))
    assert fields["text"] == "a b"
    assert fields["hypotheses"][0]["token_log_probs"] == [-0.25, -0.5, -0.75]
    assert "attention" not in fields["hypotheses"][0]
    assert fields["hypotheses"][1]["attention"] == [[1.0, 1.0]]
    assert fields["hypotheses"][1]["score"] is None  # JSON has no infinity
    assert fields["tree"]["parents"] == [-1, 0]
    assert fields["tree"]["ended"] == [False, True]
    assert repr(TREE) == "BeamTree(2 nodes, 1 ended)"


def test_perplexity() -> None:
    score = Score(["a", "b"], [4, 5], [math.log(0.5), math.log(0.125)])
    assert math.isclose(score.log_prob, math.log(0.0625))
    assert math.isclose(score.perplexity, 4.0)  # 1 / geometric mean of 1/2 and 1/8
    assert score.to_dict()["perplexity"] == score.perplexity


def test_perplexity_at_the_borders() -> None:
    assert math.isnan(Score([], [], []).perplexity)
    assert Score([], [], []).to_dict()["perplexity"] is None
    assert Score(["a"], [4], [-1e6]).perplexity == math.inf
