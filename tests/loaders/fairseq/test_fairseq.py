"""Checkpoints of fairseq."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.files import torch_checkpoint
from tests.loaders.files.torch_files import Call, Name, tensor_call, write_zip
from tests.loaders.golden_toolkits import FOLDER


def test_config() -> None:
    checkpoint = loaders.load(FOLDER / "fairseq-projected" / "model.pt")
    config = checkpoint.config
    assert (config["bridge_input"], config["bridge_activation"]) == ("final", "linear")
    assert (config["encoder_hidden_size"], config["bidirectional"]) == (5, True)
    assert checkpoint.tensors["bridge.cell.weight"].shape == (2 * 6, 2 * 10)
    assert (config["decoder_start_token_id"], config["add_source_eos"]) == (2, True)
    assert config["suppress_tokens"] == [1]
    assert checkpoint.vocabularies["source"].tokens[3:6] == ("<unk>", "a", "b")


def fairseq_file(path: Path, changes: dict[str, Any], weights: dict[str, Any]) -> Path:
    """The plain model as fairseq before 1.0 wrote it: the key ``args`` holds its options."""
    tensors = torch_checkpoint.unpickle(FOLDER / "fairseq-plain" / "model.pt")["model"]
    arrays = {name: tensor.read() for name, tensor in tensors.items()} | weights
    storages = {str(i): array for i, array in enumerate(arrays.values())}
    calls = {
        name: tensor_call(array, key, "FloatStorage", legacy=False)
        for (name, array), key in zip(arrays.items(), storages, strict=True)
    }
    options = {"arch": "lstm_luong_wmt_en_de", "source_lang": "de", "target_lang": "en"}
    args = Call(Name("argparse", "Namespace"), (), options | changes)
    return write_zip(path, {"args": args, "model": calls}, storages)


def test_options_of_old_versions(tmp_path: Path) -> None:
    path = fairseq_file(tmp_path / "model.pt", {}, {})
    expected = ae.load(FOLDER / "fairseq-plain" / "model.pt")
    model = ae.load(path)
    source, target = [4, 5, 2], [2, 6, 7]
    assert model.logits(source, target).tobytes() == expected.logits(source, target).tobytes()
    assert model.config["tokenizer"] == {"source": "none", "target": "none"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arch": "transformer"}, "arch is 'transformer', expected 'lstm'"),
        ({"residuals": True}, "residuals is 'True'"),
    ],
)
def test_options(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(Unsupported, match=message):
        loaders.load(fairseq_file(tmp_path / "model.pt", changes, {}))


def test_weights_that_do_not_belong(tmp_path: Path) -> None:
    odd = {"decoder.adaptive_softmax.head.weight": np.ones((2, 2), np.float32)}
    with pytest.raises(Unsupported, match=r"adaptive_softmax\.head\.weight' belongs to nothing"):
        loaders.load(fairseq_file(tmp_path / "a.pt", {}, odd))
    narrow = {"decoder.additional_fc.weight": np.ones((3, 6), np.float32)}
    with pytest.raises(FormatError, match=r"additional_fc\.weight is \(3, 6\), expected \(6, 6\)"):
        loaders.load(fairseq_file(tmp_path / "b.pt", {}, narrow))


def test_dictionaries(copied: Any) -> None:
    folder = copied("fairseq-plain")
    (folder / "dict.en.txt").write_text("w 3\nx y 2\nx 1 #fairseq:overwrite\nz 0\n")
    tokens = loaders.load(folder / "model.pt").vocabularies["target"].tokens
    assert tokens == ("<s>", "<pad>", "</s>", "<unk>", "w", "x y", "x", "z")
    (folder / "dict.en.txt").write_text("w\n")
    with pytest.raises(FormatError, match="'w' is no token with its count"):
        loaders.load(folder / "model.pt")
    (folder / "dict.en.txt").unlink()
    with pytest.raises(FormatError, match=r"dict\.en\.txt is missing"):
        loaders.load(folder / "model.pt")
