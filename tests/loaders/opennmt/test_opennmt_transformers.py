"""Transformers of OpenNMT-py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.files import torch_checkpoint
from tests.loaders.golden_toolkits import FOLDER, model_of


def test_config() -> None:
    config = loaders.load(model_of(FOLDER / "opennmt-3-transformer")).config
    assert config["architecture"] == "transformer"
    assert (config["norm_placement"], config["final_norm"], config["norm_eps"]) == (
        "pre",
        True,
        1e-6,
    )
    assert (config["position_layout"], config["scale_embeddings"]) == ("interleaved", True)
    assert config["tokenizer"] == {"source": "words", "target": "words"}


def opennmt_file(path: Path, changes: dict[str, Any], removed: str = "") -> Path:
    """Write the Transformer of version 2 as an archive, with changed options."""
    content = torch_checkpoint.unpickle(model_of(FOLDER / "opennmt-2-transformer"))
    tables = {"": content["model"], "generator.": content["generator"]}
    arrays = {f"{k}{n}": t.read() for k, table in tables.items() for n, t in table.items()}
    options = {**content["opt"].attributes(), **changes}
    simple = (str, int, float, type(None))
    plain = {n: v for n, v in options.items() if isinstance(v, simple) and n != removed}
    tokens = {"src": ["<unk>", "<blank>", *"abcd"]}
    tokens["tgt"] = ["<unk>", "<blank>", "<s>", "</s>", *"wxyz"]
    path.with_suffix(".json").write_text(json.dumps({"opt": plain, "vocab": tokens}))
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_relative_positions": 20}, "max_relative_positions is 20, expected 0"),
        ({"self_attn_type": "average", "aan_useffn": True}, "aan_useffn is True"),
        ({"copy_attn": True}, "copy_attn is True"),
        ({"decoder_type": "rnn"}, "encoder_type is 'transformer', expected 'rnn' or 'brnn'"),
        ({"position_encoding": False}, "position_encoding is False"),
        ({"parallel_residual": True}, "parallel_residual is True"),
        ({"layer_norm": "rms"}, "layer_norm is 'rms'"),
        ({"num_kv": 1}, "num_kv is 1"),
        ({"pos_ffn_activation_fn": "silu"}, "pos_ffn_activation_fn is 'silu'"),
        ({"position_encoding_type": "Learned"}, "position_encoding_type is 'Learned'"),
    ],
)
def test_options(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    base = {"rnn_type": "LSTM", "global_attention": "general", "input_feed": 1}
    path = opennmt_file(tmp_path / "model.npz", {**base, **changes})
    with pytest.raises(Unsupported, match=message):
        loaders.load(path)


def test_an_option_that_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="the option heads is missing"):
        loaders.load(opennmt_file(tmp_path / "model.npz", {}, removed="heads"))
    changes = {"position_encoding_type": "SinusoidalConcat"}
    config = loaders.load(opennmt_file(tmp_path / "other.npz", changes)).config
    assert config["position_layout"] == "halves"
