"""ELMo models against the toolkit's equations in float64."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine.errors import FormatError, InvalidArgument, Unsupported
from tests.loaders.elmo.elmo_files import ELMO_OPTIONS, FILTERS, elmo_arrays, write_elmo
from tests.loaders.files.hdf5_files import write_hdf5
from tests.loaders.rnn_equations import layer, tensorflow_lstm, under

CLOSE: dict[str, float] = {"rtol": 0, "atol": 3e-6}  # float32 against float64


def elmo_vector(w: dict[str, np.ndarray], word: str) -> np.ndarray:
    """A word's vector by bilm-tf's equations: ids 258, characters, 259, padded with 260 to 8."""
    own = {"<S>": [256], "</S>": [257]}.get(word, list(word.encode())[:6])
    ids = ([258, *own, 259] + [260] * 8)[:8]
    x = w["char_embed"][ids]
    maxima = []
    for i, (width, _) in enumerate(FILTERS):
        kernel = w[f"CNN/W_cnn_{i}"][0]
        sums = [np.einsum("ke,kef->f", x[t : t + width], kernel) for t in range(9 - width)]
        maxima.append(np.maximum(np.max(sums, axis=0) + w[f"CNN/b_cnn_{i}"], 0))
    y = np.concatenate(maxima)
    carry = 1 / (1 + np.exp(-(y @ w["CNN_high_0/W_carry"] + w["CNN_high_0/b_carry"])))
    relu = np.maximum(y @ w["CNN_high_0/W_transform"] + w["CNN_high_0/b_transform"], 0)
    y = carry * relu + (1 - carry) * y
    return y @ w["CNN_proj/W_proj"] + w["CNN_proj/b_proj"]


def test_elmo(tmp_path: Path) -> None:
    model = ae.load(write_elmo(tmp_path / "elmo"))
    words = ["<S>", "The", "animal", "straße", "The", "</S>"]
    found = model.hidden_states(model.tokenizer.encode(" ".join(words)))

    w = under(elmo_arrays(), "")
    vectors = np.stack([elmo_vector(w, word) for word in words])
    expected = [vectors]
    sides = [vectors, vectors]
    for k in (0, 1):
        for d in (0, 1):
            cell = f"RNN_{d}/RNN/MultiRNNCell/Cell{k}/LSTMCell"
            step = tensorflow_lstm(w[f"{cell}/W_0"], w[f"{cell}/B"], w[f"{cell}/W_P_0"], clip=3)
            states = layer(step, sides[d], reverse=d == 1)
            sides[d] = states + sides[d] if k else states
        expected += sides
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), **CLOSE)
    np.testing.assert_allclose(model.encode("The animal straße The"), found.mean(axis=0), **CLOSE)
    with pytest.raises(InvalidArgument, match="'dog'"):
        model.encode("The dog")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"filters": [[1, 2], [9, 3]]}, r"W_cnn_1 has shape \(1, 2, 2, 3\), expected \(1, 9"),
        ({"filters": [[1]]}, "option filters is .*, expected a list of"),
        ({"n_highway": 2}, "CNN_high_1.* has shape None"),
        ({"max_characters_per_token": 1}, "max_characters_per_token is 1, expected 2 to 1000"),
        ({"activation": "gelu"}, "option activation is 'gelu', expected 'relu' or 'tanh'"),
    ],
)
def test_elmo_options_that_do_not_fit(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    folder = write_elmo(tmp_path / "elmo")
    options = ELMO_OPTIONS | {"char_cnn": ELMO_OPTIONS["char_cnn"] | change}
    (folder / "options.json").write_text(json.dumps(options))
    with pytest.raises((FormatError, Unsupported), match=message):
        ae.load(folder)


def test_elmo_weights_that_are_too_many(tmp_path: Path) -> None:
    folder = write_elmo(tmp_path / "elmo")
    more = elmo_arrays() | {"RNN_0/RNN/MultiRNNCell/Cell2/LSTMCell/B": np.zeros(3, np.float32)}
    write_hdf5(folder / "lm_weights.hdf5", more, {})
    with pytest.raises(FormatError, match="weights that the options do not explain: RNN_0/"):
        ae.load(folder)
