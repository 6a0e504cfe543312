"""CTranslate2 folders that hold an encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import attnengine as ae
from attnengine import loaders
from attnengine.errors import Unsupported
from tests.loaders.ctranslate2.ctranslate2_files import encoder, write_one_vocabulary


def test_a_folder(tmp_path: Path) -> None:
    write_one_vocabulary(tmp_path, encoder(), "TransformerEncoderSpec")
    checkpoint = loaders.load(tmp_path)
    expected = {
        "architecture": "bert",
        "vocab_size": 6,
        "type_vocab_size": 2,
        "max_position_embeddings": 10,
        "num_attention_heads": 2,
        "layer_norm_eps": 1e-5,
        "hidden_act": "gelu",
        "pooling": "mean",
    }
    assert {key: checkpoint.config[key] for key in expected} == expected
    model = ae.load(tmp_path)
    assert isinstance(model, ae.Encoder)
    assert model.encode("x y").shape == (8,)
    variables = encoder() | {"encoder/pre_norm": np.array(np.int8(1))}
    write_one_vocabulary(tmp_path, variables, "TransformerEncoderSpec")
    with pytest.raises(Unsupported, match="scaled embeddings or pre-norm"):
        loaders.load(tmp_path)
