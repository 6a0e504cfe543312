"""Refused options, weights and vocabularies of Marian and Nematus: each error names the cause."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from tests.loaders.huggingface.huggingface_files import sentencepiece_model
from tests.loaders.marian.marian_files import (
    NEMATUS_OPTIONS,
    PRE_NORM,
    S2S_OPTIONS,
    TRANSFORMER_OPTIONS,
    marian_arrays,
    nematus_arrays,
    transformer_arrays,
    write_marian,
    write_nematus,
    write_s2s,
)


@pytest.mark.parametrize(
    ("base", "changes", "error", "message"),
    [
        ("s2s", {"type": "char-s2s"}, Unsupported, "type is 'char-s2s', expected 's2s'"),
        ("s2s", {"type": "multi-s2s"}, Unsupported, "type is 'multi-s2s'"),
        ("s2s", {"enc-cell": "ssru"}, Unsupported, "enc-cell is 'ssru'"),
        ("s2s", {"dec-cell": "lstm"}, Unsupported, "enc-cell and dec-cell differ"),
        ("s2s", {"enc-depth": 2}, Unsupported, "enc-depth is '2', expected '1'"),
        ("s2s", {"dec-cell-base-depth": 4}, Unsupported, "dec-cell-base-depth is '4'"),
        ("s2s", {"layer-normalization": True}, Unsupported, "layer-normalization is 'true'"),
        ("s2s", {"skip": True}, Unsupported, "skip is 'true'"),
        (
            "transformer",
            {"transformer-decoder-autoreg": "rnn"},
            Unsupported,
            "dec-cell is 'gru', expected 'ssru'",
        ),
        (
            "transformer",
            {"transformer-decoder-autoreg": "average-attention", **PRE_NORM},
            Unsupported,
            "transformer-preprocess with average-attention",
        ),
        (
            "transformer",
            {
                "transformer-decoder-autoreg": "average-attention",
                "transformer-aan-activation": "relu",
            },
            Unsupported,
            "aan-activation is not transformer-ffn-activation",
        ),
        ("transformer", {"transformer-decoder-autoreg": "odd"}, Unsupported, "autoreg is 'odd'"),
        ("transformer", {"transformer-rnn-projection": True}, Unsupported, "projection is 'true'"),
        ("transformer", {"transformer-ffn-activation": "gelu"}, Unsupported, "is 'gelu'"),
        ("transformer", {"transformer-preprocess": "nd"}, Unsupported, r"\('n', 'an', ''\)"),
        ("transformer", {"transformer-tied-layers": [1, 1]}, Unsupported, "tied-layers is given"),
        ("transformer", {"transformer-heads": "x"}, FormatError, "heads is 'x', expected an int"),
        ("transformer", {"transformer-ffn-depth": 3}, Unsupported, "ffn-depth is '3'"),
        ("transformer", {"lemma-dim-emb": 8}, Unsupported, "lemma-dim-emb is '8'"),
    ],
)
def test_options_name_themselves_and_their_value(
    tmp_path: Path, base: str, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    options, arrays = S2S_OPTIONS, marian_arrays(nematus_arrays())
    if base == "transformer":
        options, arrays = TRANSFORMER_OPTIONS, transformer_arrays()
    with pytest.raises(error, match=message):
        loaders.load(write_marian(tmp_path, arrays, {**options, **changes}))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"factors": 2}, Unsupported, "factors is '2', expected '1'"),
        ({"layer_normalisation": True}, Unsupported, "layer_normalisation is 'True'"),
        ({"enc_depth": 4}, Unsupported, "enc_depth is '4'"),
        ({"use_dropout": True}, Unsupported, "use_dropout is true without model_version"),
        ({"dictionaries": ["a"]}, FormatError, "dictionaries are not those"),
        ({"encoder": ["gru"]}, FormatError, "encoder is .*, expected a single value"),
    ],
)
def test_options_of_nematus(
    tmp_path: Path, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        loaders.load(write_nematus(tmp_path, options={**NEMATUS_OPTIONS, **changes}))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"decoder_mystery": (2, 2)}, Unsupported, "'decoder_mystery' belongs to nothing"),
        ({"Wemb1": (6, 3)}, Unsupported, "'Wemb1' belongs to nothing"),
        ({"decoder_Ux": (3, 4)}, FormatError, "which are no parts of one weight"),
        ({"ff_logit_b": (4,)}, FormatError, "ff_logit_b is .*, expected 5 rows"),
        ({"encoder_W": (8,)}, FormatError, "which are no parts of one weight"),
    ],
)
def test_weights_that_do_not_belong(
    tmp_path: Path, changes: dict[str, tuple[int, ...]], error: type[Exception], message: str
) -> None:
    arrays = nematus_arrays()
    arrays |= {name: np.zeros(shape, np.float32) for name, shape in changes.items()}
    with pytest.raises(error, match=message):
        loaders.load(write_nematus(tmp_path, arrays))


# ---- vocabularies -----------------------------------------------------------------------------


def test_vocabularies_that_marian_reads(tmp_path: Path) -> None:
    path = write_s2s(tmp_path)
    odd = ['"</s>": 0', "<unk>: 1", '"a: \\"b": 2', "'yes': 3", "no: 4"]
    (tmp_path / "vocab.src.yml").write_text("\n".join(odd), encoding="utf-8")
    tokens = loaders.load(path).vocabularies["source"].tokens
    assert tokens == ("</s>", "<unk>", 'a: "b', "yes", "no", "")
    (tmp_path / "lines.txt").write_text("</s>\n<unk>\nx\n", encoding="utf-8")
    decoder = tmp_path / "model.npz.decoder.yml"
    decoder.write_text("vocabs: [vocab.src.yml, lines.txt]", encoding="utf-8")
    assert loaders.load(path).vocabularies["target"].tokens[2:5] == ("x", "", "")


def test_vocabularies_that_are_sentencepiece_models(tmp_path: Path) -> None:
    path = write_s2s(tmp_path)
    for name in ("a.spm", "b.spm"):
        (tmp_path / name).write_bytes(sentencepiece_model({"▁x": -1.0, "y": -2.0}))
    (tmp_path / "model.npz.decoder.yml").write_text("vocabs: [a.spm, b.spm]", encoding="utf-8")
    checkpoint = loaders.load(path)
    assert checkpoint.config["tokenizer"] == {"source": "sentencepiece", "target": "sentencepiece"}
    assert checkpoint.vocabularies["source"].tokens == ("<unk>", "<s>", "</s>", "▁x", "y", "")
    assert (checkpoint.config["eos_token_id"], checkpoint.config["unk_token_id"]) == (2, 0)
    assert checkpoint.tokenizer_files["target.spm"] == tmp_path / "b.spm"


@pytest.mark.parametrize(
    ("file", "text", "error", "message"),
    [
        ("model.npz.decoder.yml", "vocabs: [a.yml]", FormatError, "expected two files"),
        ("model.npz.decoder.yml", "[]", FormatError, "expected two files"),
        ("model.npz.decoder.yml", "vocabs: [[a], b]", FormatError, "expected the name of a file"),
        ("model.npz.decoder.yml", "vocabs: [../../x, b]", FormatError, "x is missing"),
        ("model.npz.decoder.yml", "vocabs: [a.fsv, b]", Unsupported, "a.fsv has factors"),
        ("model.npz.decoder.yml", "vocabs: [a.spm, b]", FormatError, "a.spm is missing"),
        ("vocab.src.yml", "a: b", FormatError, "the id of 'a' is 'b'"),
        ("vocab.src.yml", "- a", FormatError, "expected a table of tokens and ids"),
    ],
)
def test_vocabularies_that_do_not_fit(
    tmp_path: Path, file: str, text: str, error: type[Exception], message: str
) -> None:
    path = write_s2s(tmp_path)
    (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(error, match=message):
        loaders.load(path)
