from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import _core
from attnengine.errors import Error

OPTIONS = {"beam_size": 3, "start_token": 1, "end_tokens": [2], "max_new_tokens": 5}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"beam_size": 0}, "beam_size is 0, expected an integer from 1 to 2147483647"),
        ({"beam_size": 2**31}, "beam_size is 2147483648, expected an integer from 1 to 2147483647"),
        ({"num_hypotheses": 0}, "num_hypotheses is 0, expected an integer from 1 to"),
        ({"num_candidates": 0}, "num_candidates is 0, expected an integer from 1 to"),
        ({"num_hypotheses": 4}, "num_hypotheses is 4, expected at most num_candidates, which is 3"),
        ({"max_new_tokens": -1}, "max_new_tokens is -1, expected an integer from 0 to"),
        ({"min_new_tokens": -1}, "min_new_tokens is -1, expected an integer from 0 to"),
        ({"length_penalty": np.nan}, "length_penalty is nan, expected a finite number"),
        ({"length_penalty": np.inf}, "length_penalty is inf, expected a finite number"),
        ({"stopping": "best"}, "stopping is 'best', expected 'candidates' or 'optimal'"),
        ({"end_tokens": [0, -1]}, "end_tokens[1] is -1, expected at least 0"),
        ({"start_token": -2}, "start_token is -2, expected an integer from 0 to"),
        ({"return_tree": True}, "unknown option 'return_tree'; the options are beam_size, length"),
        ({"num_beams": 3}, "unknown option 'num_beams'; the options are beam_size, length"),
        ({"start_token": 2**31}, "start_token is 2147483648, expected an integer from 0 to"),
        ({"start_token": 1.0}, "start_token is 1.0, expected an integer from 0 to"),
        ({"beam_sise": 3}, "unknown option 'beam_sise', did you mean 'beam_size'?"),
    ],
)
def test_options_are_checked(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Error, match=re.escape(message)):
        ae.BeamSearch(**{**OPTIONS, **change})


@pytest.mark.parametrize(
    ("logits", "message"),
    [
        (np.zeros((2, 9), np.float32), "logits.shape[0] is 2, expected 1"),
        (np.zeros(9, np.float32), "logits.ndim is 1, expected 2"),
        (np.zeros((1, 9)), "logits.dtype is float64, expected float32"),
        (np.zeros((1, 18), np.float32)[:, ::2], "logits are not C-contiguous"),
        (
            np.zeros((1, 2), np.float32),
            "a token of end_tokens is 2, expected a token of the vocabulary: 0 to",
        ),
        (
            np.zeros((1, 1), np.float32),
            "start token of sentence 0 is 1, expected a token of the vocabulary",
        ),
    ],
)
def test_logits_are_checked(logits: Any, message: str) -> None:
    search = ae.BeamSearch(**OPTIONS)
    with pytest.raises(ValueError, match=re.escape(message)):
        search.advance(logits)
    search.advance(np.zeros((1, 9), np.float32))  # the refused logits changed nothing
    assert search.tokens.tolist() == [0, 1, 3]
    with pytest.raises(ValueError, match=r"logits.shape\[1\] is 8, expected 9"):
        search.advance(np.zeros((3, 8), np.float32))


def test_advance_after_the_end_is_an_error() -> None:
    search = ae.BeamSearch(**{**OPTIONS, "max_new_tokens": 1})
    search.advance(np.zeros((1, 4), np.float32))
    with pytest.raises(ValueError, match="the search is done, expected no further call"):
        search.advance(np.zeros((3, 4), np.float32))


def test_a_search_with_nothing_left_is_an_error() -> None:
    search = ae.BeamSearch(beam_size=2, start_token=0, end_tokens=[], max_new_tokens=5)
    search.advance(np.array([[0, 1]], np.float32))
    with pytest.raises(ValueError, match="every token of sentence 0 is forbidden at step 1"):
        search.advance(np.full((2, 2), -np.inf, np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 7, 8, 1030, 2050])  # lanes, the tail, later blocks
def test_bad_logits_change_nothing(value: float, place: int) -> None:
    table = np.random.default_rng(0).normal(size=(2051, 2051)).astype(np.float32)
    options = {"beam_size": 3, "start_token": 5, "end_tokens": [0], "max_new_tokens": 4}
    search, twin = ae.BeamSearch(**options), ae.BeamSearch(**options)
    for step in range(4):
        good = table[search.tokens]
        bad = good.copy()
        bad[-1, place] = value
        what = "NaN" if np.isnan(value) else "+infinity"
        message = rf"sentence 0 \(row {len(good) - 1}, token {place}, step {step}\) hold \{what}"
        with pytest.raises(ValueError, match=message.replace(r"\N", "N")):
            search.advance(bad)
        search.advance(good)
        twin.advance(good)
        assert search.tokens.tolist() == twin.tokens.tolist()
    assert [h.ids for h in search.hypotheses] == [h.ids for h in twin.hypotheses]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"beam_size": 0}, "beam_size is 0, expected at least 1"),
        ({"beam_size": 2**31}, "beam_size is 2147483648, expected at most 2147483647"),
        ({"num_hypotheses": 0}, "num_hypotheses is 0, expected at least 1"),
        ({"num_candidates": 0}, "num_candidates is 0, expected at least 1"),
        ({"num_hypotheses": 4}, "num_hypotheses is 4, expected at most num_candidates, which is 3"),
        ({"length_penalty": np.nan}, "length_penalty is nan, expected a finite number"),
        ({"stopping": "best"}, 'stopping is "best", expected "candidates" or "optimal"'),
    ],
)
def test_the_compiled_options_check_themselves(given: dict[str, Any], message: str) -> None:
    with pytest.raises(Error, match=re.escape(message)):
        _core.BeamSearchOptions(**{"beam_size": 3, **given})


def test_the_compiled_options_refuse_other_names_and_types() -> None:
    with pytest.raises(TypeError, match="unknown option beam_sise"):
        _core.BeamSearchOptions(beam_sise=3)
    for value in (1.5, "3", None):
        with pytest.raises(TypeError, match=f"beam_size is {value!r}, expected an integer"):
            _core.BeamSearchOptions(beam_size=value)


@pytest.mark.parametrize("tokens", [[2.7], ["2"], [np.float32(2)]])
def test_end_tokens_must_be_integers(tokens: Any) -> None:
    with pytest.raises(TypeError):
        ae.BeamSearch(**{**OPTIONS, "end_tokens": tokens})
