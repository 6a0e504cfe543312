"""textgenrnn, ELMo, char-rnn-tensorflow and g2p_en against their own equations in float64."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from rnn_equations import layer, lstm, stack, tensorflow_lstm, under
from rnn_files import (
    ELMO_OPTIONS,
    FILTERS,
    UNITS,
    WINDOW,
    charrnn_arrays,
    elmo_arrays,
    write_charrnn,
    write_elmo,
    write_g2p_en,
    write_hdf5,
    write_textgenrnn,
)

import attnengine as ae
from attnengine.errors import FormatError, InvalidArgument, Unsupported

CLOSE: dict[str, float] = {"rtol": 0, "atol": 3e-6}  # float32 against float64


@pytest.mark.parametrize("names", [("weights", "biases"), ("kernel", "bias")])
def test_charrnn(tmp_path: Path, names: tuple[str, str]) -> None:
    arrays = charrnn_arrays(*names)
    model = ae.load(write_charrnn(tmp_path / "model", arrays))
    w, ids = under(arrays, ""), [3, 1, 4, 1, 5]
    steps = [
        tensorflow_lstm(*(w[f"rnnlm/multi_rnn_cell/cell_{k}/basic_lstm_cell/{n}"] for n in names))
        for k in (0, 1)
    ]
    states = stack(steps, w["embedding"][ids])
    expected = states @ w["rnnlm/softmax_w"] + w["rnnlm/softmax_b"]
    np.testing.assert_allclose(model.logits(ids), expected, **CLOSE)
    assert model.generate("ab\né'", max_new_tokens=3).hypotheses[0].tokens


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"filename": "../secret", "shape": [4]}, "expected the name of a file beside"),
        ({"filename": "/etc/passwd", "shape": [4]}, "expected the name of a file beside"),
        ({"filename": "embedding", "shape": [-1, 4]}, r"has shape \[-1, 4\]"),
        ({"filename": "embedding", "shape": [7, True]}, "and a shape"),
        ({"filename": "embedding", "shape": [1 << 40, 1 << 40]}, "more than any memory"),
        ({"filename": "embedding", "shape": [7, 5]}, "has 112 bytes, expected 140"),
        ({"filename": "other", "shape": [7, 4]}, "is missing or not a file"),
        (4, "expected the name"),
    ],
)
def test_a_manifest_that_does_not_fit(tmp_path: Path, entry: Any, message: str) -> None:
    folder = write_charrnn(tmp_path / "model")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["embedding"] = entry
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(FormatError, match=message):
        ae.load(folder)


def test_characters_and_variables_that_do_not_fit(tmp_path: Path) -> None:
    arrays = charrnn_arrays()
    cell = "rnnlm/multi_rnn_cell/cell_0/gru_cell/gates/kernel"
    with pytest.raises(Unsupported, match="gates/kernel', expected those of LSTMs"):
        ae.load(write_charrnn(tmp_path / "gru", arrays | {cell: np.zeros(3)}))
    folder = write_charrnn(tmp_path / "vocab")
    (folder / "vocab.json").write_text('{"a": 0, "b": 0}')
    with pytest.raises(FormatError, match="has 2 ids, expected each of 0 to 6 once"):
        ae.load(folder)


def test_variables_that_are_the_same_one(tmp_path: Path) -> None:
    arrays = charrnn_arrays() | {"rnnlm/embedding": np.zeros((7, 4), np.float32)}
    with pytest.raises(FormatError, match=r"embedding and rnnlm/embedding are both embedding\.w"):
        ae.load(write_charrnn(tmp_path / "model", arrays))


def test_textgenrnn(tmp_path: Path) -> None:
    path = write_textgenrnn(tmp_path)
    model = ae.load(path)
    assert model.config["bos_token_id"] == model.config["eos_token_id"] == 1
    with h5py.File(path) as file:
        arrays: dict[str, Any] = {}
        file.visititems(lambda n, o: arrays.update({n: o[...]}) if hasattr(o, "shape") else None)
    w = under(arrays, "")
    steps = [lstm(from_cudnn(under(arrays, f"rnn_{n}/rnn_{n}/"))) for n in (1, 2)]
    ids = [1, 2, 3, 4, 5, 6, 2, 3]
    found = model.logits(ids)
    for end in (1, 4, WINDOW, len(ids)):
        window = ids[max(0, end - WINDOW) : end]
        window = [0] * (WINDOW - len(window)) + window
        states = [w["embedding/embedding/embeddings:0"][window]]
        for step in steps:
            states.append(layer(step, states[-1]))
        together = np.concatenate(states, axis=1)
        weights = np.exp(together @ w["attention/attention/attention_W:0"])[:, 0]
        mean = weights @ together / weights.sum()
        expected = mean @ w["output/output/kernel:0"] + w["output/output/bias:0"]
        np.testing.assert_allclose(found[end - 1], expected, **CLOSE)


def from_cudnn(w: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Keras 2's conversion of a CuDNNLSTM's weights."""

    def kernel(array: np.ndarray) -> np.ndarray:
        return np.hstack([k.T.reshape(k.shape, order="F") for k in np.hsplit(array, 4)])

    turned = np.hstack([k.T for k in np.hsplit(w["recurrent_kernel:0"], 4)])
    bias = np.sum(np.split(w["bias:0"], 2), axis=0)
    return {"kernel:0": kernel(w["kernel:0"]), "recurrent_kernel:0": turned, "bias:0": bias}


def test_textgenrnn_of_words_is_refused(tmp_path: Path) -> None:
    path = write_textgenrnn(tmp_path)
    (tmp_path / "tiny_config.json").write_text('{"word_level": true}')
    with pytest.raises(Unsupported, match="option word_level is 'True'"):
        ae.load(path)


def elmo_vector(w: dict[str, np.ndarray], word: str) -> np.ndarray:
    """bilm-tf: characters between 258 and 259, padded with 260 to 8."""
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


def test_g2p_en(tmp_path: Path) -> None:
    model = ae.load(write_g2p_en(tmp_path))
    assert model.config["decoder_hidden_size"] == UNITS
    assert model.source_tokenizer.encode("ab-") == [3, 4, 1]
    assert model.target_tokenizer.decode([4, 73]) == "AA0 ZH"
    assert model.translate("ab", max_new_tokens=5).hypotheses[0].tokens
