"""Checkpoints that other toolkits wrote, and the logits that they give: tests/golden/toolkits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch_files import Call, Name, tensor_call, write_zip

import attnengine as ae
from attnengine import loaders
from attnengine.engines import convert
from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.files import torch_checkpoint

FOLDER = Path(__file__).parents[1] / "golden" / "toolkits"
MODELS = sorted(path.parent for path in FOLDER.glob("*/expected.json"))


def model_of(folder: Path) -> Path:
    """The checkpoint in a folder, or the folder itself where a format is one."""
    checkpoints = sorted(folder.glob("*.pt"))
    return checkpoints[0] if checkpoints else folder


@pytest.fixture
def copied(tmp_path: Path) -> Any:
    """Copies the folder of a model, to be changed."""

    def copy(name: str) -> Path:
        return shutil.copytree(FOLDER / name, tmp_path / name)

    return copy


@pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)
def test_logits_of_the_toolkit(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    model = ae.load(model_of(folder))
    found = model.logits(expected["source"], expected["target"])
    logits = np.array(expected["logits"])
    assert logits.std() > 0.1
    # float32 on both sides, sums of some dozen terms through two layers
    np.testing.assert_allclose(found, logits, rtol=1e-4, atol=2e-5)
    assert len(model.translate("a b c", beam_size=2, max_new_tokens=3).hypotheses) >= 1


@pytest.mark.parametrize("name", ["opennmt-2-lstm", "opennmt-3-average", "fairseq-projected"])
def test_converted_to_a_native_folder(name: str, tmp_path: Path) -> None:
    path = model_of(FOLDER / name)
    convert(path, tmp_path / "native", packed=True)
    model, converted = ae.load(path), ae.load(tmp_path / "native")
    source, target = [4, 3, 5], [2, 6, 7]
    assert model.logits(source, target).tobytes() == converted.logits(source, target).tobytes()
    assert converted.translate("a b").text == model.translate("a b").text


@pytest.mark.parametrize(
    ("toolkit", "count"),
    [("opennmt-1", 5), ("opennmt-2", 5), ("opennmt-3", 5), ("fairseq", 4), ("joeynmt", 5)],
)
def test_every_toolkit_is_there(toolkit: str, count: int) -> None:
    assert sum(folder.name.startswith(toolkit) for folder in MODELS) == count


# ---- fairseq ----------------------------------------------------------------------------------


def test_config_of_fairseq() -> None:
    checkpoint = loaders.load(FOLDER / "fairseq-projected" / "model.pt")
    config = checkpoint.config
    assert (config["bridge_input"], config["bridge_activation"]) == ("final", "linear")
    assert (config["encoder_hidden_size"], config["bidirectional"]) == (5, True)
    assert checkpoint.tensors["bridge.cell.weight"].shape == (2 * 6, 2 * 10)
    assert (config["decoder_start_token_id"], config["add_source_eos"]) == (2, True)
    assert config["suppress_tokens"] == [1]
    assert checkpoint.vocabularies["source"].tokens[3:6] == ("<unk>", "a", "b")


def fairseq_file(path: Path, changes: dict[str, Any], weights: dict[str, Any]) -> Path:
    """The plain model as versions before 1.0 wrote it: its options are args."""
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


def test_options_of_old_versions_of_fairseq(tmp_path: Path) -> None:
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
def test_options_of_fairseq(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(Unsupported, match=message):
        loaders.load(fairseq_file(tmp_path / "model.pt", changes, {}))


def test_weights_of_fairseq_that_do_not_belong(tmp_path: Path) -> None:
    odd = {"decoder.adaptive_softmax.head.weight": np.ones((2, 2), np.float32)}
    with pytest.raises(Unsupported, match=r"adaptive_softmax\.head\.weight' belongs to nothing"):
        loaders.load(fairseq_file(tmp_path / "a.pt", {}, odd))
    narrow = {"decoder.additional_fc.weight": np.ones((3, 6), np.float32)}
    with pytest.raises(FormatError, match=r"additional_fc\.weight is \(3, 6\), expected \(6, 6\)"):
        loaders.load(fairseq_file(tmp_path / "b.pt", {}, narrow))


def test_dictionaries_of_fairseq(copied: Any) -> None:
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


# ---- JoeyNMT ----------------------------------------------------------------------------------


def test_config_of_joeynmt(copied: Any) -> None:
    folder = copied("joeynmt-lstm")
    checkpoint = loaders.load(folder)
    config = checkpoint.config
    assert (config["attention"], config["bridge_input"]) == ("general", "last")
    assert (config["bridge_activation"], config["bridge_cell"]) == ("linear", "hidden")
    assert (config["decoder_start_token_id"], config["eos_token_id"]) == (2, 3)
    assert checkpoint.vocabularies["source"].tokens == ("<unk>", "<pad>", "<s>", "</s>", *"abcd")
    assert loaders.load(folder / "0.ckpt").config == config


def test_which_checkpoint_of_joeynmt(copied: Any) -> None:
    folder = copied("joeynmt-gru")
    (folder / "1.ckpt").write_bytes(b"damaged")
    with pytest.raises(FormatError, match=r"several \.ckpt files, expected best\.ckpt"):
        loaders.load(folder)
    (folder / "0.ckpt").rename(folder / "best.ckpt")
    assert loaders.load(folder).config["cell"] == "gru"
    with pytest.raises(FormatError):
        loaders.load(folder / "1.ckpt")


@pytest.mark.parametrize("data", ["data: {src: {voc_file: /x/s.txt}}", "data: {src_vocab: s.txt}"])
def test_vocabularies_of_joeynmt_that_the_config_names(copied: Any, data: str) -> None:
    folder = copied("joeynmt-gru")
    (folder / "src_vocab.txt").unlink()
    (folder / "s.txt").write_text("a\nb\nc\n<s>\nd\n")  # the special tokens come first anyway
    config = folder / "config.yaml"
    config.write_text(config.read_text() + data)
    tokens = loaders.load(folder).vocabularies["source"].tokens
    assert tokens == ("<unk>", "<pad>", "<s>", "</s>", *"abcd")


@pytest.mark.parametrize(
    ("name", "old", "new", "error", "message"),
    [
        ("gru", "rnn_type: gru", "rnn_type: sru", Unsupported, "rnn_type is 'sru'"),
        ("gru", "attention: bahdanau", "attention: dot", Unsupported, "attention is 'dot'"),
        ("gru", "scale: false", "scale: true", Unsupported, "embeddings scale is true"),
        ("gru", "scale: false", "scale: much", FormatError, "scale is 'much', expected true"),
        ("half", "init_hidden: last", "init_hidden: odd", Unsupported, "init_hidden is 'odd'"),
        ("transformer", "num_heads: 2", "num_heads: two", FormatError, "num_heads is 'two'"),
        ("transformer", "num_layers: 2", "alpha: 0.8", Unsupported, "alpha is '0.8'"),
        ("transformer", "layer_norm: pre", "layer_norm: post", Unsupported, "expected all or none"),
        ("transformer", "encoder:", "mystery:", FormatError, "its options are None"),
        ("post-norm", "activation: gelu", "activation: tanh", Unsupported, "is 'tanh'"),
    ],
)
def test_options_of_joeynmt(
    copied: Any, name: str, old: str, new: str, error: type[Exception], message: str
) -> None:
    folder = copied(f"joeynmt-{name}")
    text = (folder / "config.yaml").read_text()
    assert old in text
    (folder / "config.yaml").write_text(text.replace(old, new))
    with pytest.raises(error, match=message):
        loaders.load(folder)


def test_version_1_of_joeynmt_says_nothing_of_norms(copied: Any) -> None:
    folder = copied("joeynmt-transformer")
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(text.replace("layer_norm: pre", "freeze: false"))
    assert loaders.load(folder).config["norm_placement"] == "pre"
    folder = copied("joeynmt-post-norm")  # version 2 would have no norm above an encoder's
    (folder / "config.yaml").write_text(text.replace("layer_norm: pre", "freeze: false"))
    with pytest.raises(Unsupported, match="expected all or none"):
        loaders.load(folder)


# ---- OpenNMT-py -------------------------------------------------------------------------------


def test_config_of_a_transformer_of_opennmt() -> None:
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
    """The Transformer of version 2 with other options, its weights as an archive."""
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
def test_options_of_transformers_of_opennmt(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    base = {"rnn_type": "LSTM", "global_attention": "general", "input_feed": 1}
    path = opennmt_file(tmp_path / "model.npz", {**base, **changes})
    with pytest.raises(Unsupported, match=message):
        loaders.load(path)


def test_an_option_of_opennmt_that_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="the option heads is missing"):
        loaders.load(opennmt_file(tmp_path / "model.npz", {}, removed="heads"))
    changes = {"position_encoding_type": "SinusoidalConcat"}
    config = loaders.load(opennmt_file(tmp_path / "other.npz", changes)).config
    assert config["position_layout"] == "halves"
