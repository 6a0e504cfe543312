"""Model folders of JoeyNMT."""

from __future__ import annotations

from typing import Any

import pytest

from attnengine import loaders
from attnengine.errors import FormatError, Unsupported


def test_config(copied: Any) -> None:
    folder = copied("joeynmt-lstm")
    checkpoint = loaders.load(folder)
    config = checkpoint.config
    assert (config["attention"], config["bridge_input"]) == ("general", "last")
    assert (config["bridge_activation"], config["bridge_cell"]) == ("linear", "hidden")
    assert (config["decoder_start_token_id"], config["eos_token_id"]) == (2, 3)
    assert checkpoint.vocabularies["source"].tokens == ("<unk>", "<pad>", "<s>", "</s>", *"abcd")
    assert loaders.load(folder / "0.ckpt").config == config


def test_which_checkpoint(copied: Any) -> None:
    folder = copied("joeynmt-gru")
    (folder / "1.ckpt").write_bytes(b"damaged")
    with pytest.raises(FormatError, match=r"several \.ckpt files, expected best\.ckpt"):
        loaders.load(folder)
    (folder / "0.ckpt").rename(folder / "best.ckpt")
    assert loaders.load(folder).config["cell"] == "gru"
    with pytest.raises(FormatError):
        loaders.load(folder / "1.ckpt")


@pytest.mark.parametrize("data", ["data: {src: {voc_file: /x/s.txt}}", "data: {src_vocab: s.txt}"])
def test_vocabularies_that_the_config_names(copied: Any, data: str) -> None:
    folder = copied("joeynmt-gru")
    (folder / "src_vocab.txt").unlink()
    (folder / "s.txt").write_text("a\nb\nc\n<s>\nd\n")  # special tokens get the first ids
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
def test_options(
    copied: Any, name: str, old: str, new: str, error: type[Exception], message: str
) -> None:
    folder = copied(f"joeynmt-{name}")
    text = (folder / "config.yaml").read_text()
    assert old in text
    (folder / "config.yaml").write_text(text.replace(old, new))
    with pytest.raises(error, match=message):
        loaders.load(folder)


def test_version_1_says_nothing_of_norms(copied: Any) -> None:
    folder = copied("joeynmt-transformer")
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(text.replace("layer_norm: pre", "freeze: false"))
    assert loaders.load(folder).config["norm_placement"] == "pre"
    folder = copied("joeynmt-post-norm")  # version 2 has no norm after a post-norm encoder
    (folder / "config.yaml").write_text(text.replace("layer_norm: pre", "freeze: false"))
    with pytest.raises(Unsupported, match="expected all or none"):
        loaders.load(folder)
