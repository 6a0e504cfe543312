"""Tokenizer files in transformers folders without a tokenizer.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.loaders.files import sentencepiece_model as reader
from attnengine.tokenizers import Tokenizer, open_tokenizer
from tests.loaders.huggingface.huggingface_files import (
    PIECES,
    VISIBLE,
    byte_level_tokenizer,
    sentencepiece_model,
    write_json,
    write_llama,
)


def llama(folder: Path, **changes: Any) -> Path:
    """Write a folder with a tokenizer.model that holds <unk>, <s>, </s> and the pieces."""
    write_llama(folder, bos_token_id=1, eos_token_id=2, **changes)
    (folder / "tokenizer.model").write_bytes(sentencepiece_model(PIECES))
    return folder


def opened(folder: Path) -> tuple[Checkpoint, Tokenizer]:
    checkpoint = loaders.load(folder)
    return checkpoint, open_tokenizer(checkpoint)


def test_a_sentencepiece_model_alone(tmp_path: Path) -> None:
    checkpoint, tokenizer = opened(llama(tmp_path))
    ids = tokenizer.encode(" ab  ab ")  # the model keeps single spaces between words only
    assert tokenizer.tokens(ids) == ["▁a", "b", "▁a", "b"]
    assert tokenizer.decode(ids) == "ab ab"
    assert tokenizer.encode("x") == [5, checkpoint.config["unk_token_id"]]
    assert tokenizer.encode("a</s>") == [3, 2]
    assert (checkpoint.config["add_bos"], checkpoint.config["bos_token_id"]) == (True, 1)


def test_what_is_read_survives_conversion(tmp_path: Path) -> None:
    folder = llama(tmp_path / "model")
    loaders.convert(folder, tmp_path / "native")
    checkpoint, tokenizer = opened(tmp_path / "native")
    assert checkpoint.config == loaders.load(folder).config
    assert tokenizer.encode("ab c") == opened(folder)[1].encode("ab c")


def test_added_tokens(tmp_path: Path) -> None:
    """Two files add tokens with new ids, and a third one makes tokens special."""
    folder = llama(tmp_path)
    write_json(folder / "added_tokens.json", {"<call>": 9})
    flags = {"lstrip": True, "special": False}
    decoder = {"12": {"content": "<end>", **flags}, "2": {"content": "</s>", "special": True}}
    write_json(folder / "tokenizer_config.json", {"added_tokens_decoder": decoder})
    named = {"eos_token": {"content": "<end>"}, "additional_special_tokens": ["b"]}
    write_json(folder / "special_tokens_map.json", named)
    _, tokenizer = opened(folder)
    assert tokenizer.encode("a <end><call>a") == [3, 12, 9, 3]
    assert tokenizer.decode([3, 12, 9, 4]) == "a<call>"  # <end> and b are special
    assert tokenizer.encode(" id 10") == tokenizer.encode("id 10")  # fillers never match a text


def test_added_tokens_beside_a_tokenizer_json(tmp_path: Path) -> None:
    folder = write_llama(tmp_path, tokenizer=byte_level_tokenizer(), vocab_size=300)
    plain = opened(folder)[0]
    assert plain.tokenizer_files["tokenizer.json"] == folder / "tokenizer.json"
    write_json(folder / "added_tokens.json", {"<call>": 270})
    _, tokenizer = opened(folder)
    assert tokenizer.encode("a<call>") == [*tokenizer.encode("a"), 270]
    assert tokenizer.decode([270]) == "<call>"


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ({"<call>": 3}, "'▁a' and '<call>' both have id 3"),
        ({"a": 9}, "'a' has ids 6 and 9"),
        ({"<call>": 99999}, "'<call>' has id 99999, expected one up to 8"),
        ({"<call>": -1}, "'<call>' has id -1"),
    ],
)
def test_added_tokens_that_do_not_fit(tmp_path: Path, tokens: Any, message: str) -> None:
    folder = llama(tmp_path)
    write_json(folder / "added_tokens.json", tokens)
    with pytest.raises(FormatError, match=message):
        loaders.load(folder)


@pytest.mark.parametrize("begin", [True, False])
def test_whether_a_begin_token_is_added(tmp_path: Path, begin: bool) -> None:
    folder = llama(tmp_path)
    write_json(folder / "tokenizer_config.json", {"add_bos_token": begin})
    assert loaders.load(folder).config["add_bos"] is begin


def test_vocab_and_merges(tmp_path: Path) -> None:
    folder = write_llama(tmp_path, tokenizer_class="GPT2Tokenizer")
    vocab = {token: i for i, token in enumerate(["<|endoftext|>", *VISIBLE, "Ġa", "Ġab"])}
    write_json(folder / "vocab.json", vocab)
    (folder / "merges.txt").write_text("#version: 0.2\nĠ a\nĠa b\n", encoding="utf-8")
    checkpoint, tokenizer = opened(folder)
    text = "ab ab a\tü€<|endoftext|>"
    ids = tokenizer.encode(text)
    assert tokenizer.tokens(ids[:4]) == ["a", "b", "Ġab", "Ġa"]
    assert ids[-1] == 0
    assert tokenizer.decode(ids) == text.removesuffix("<|endoftext|>")
    assert checkpoint.config["add_bos"] is False


def test_word_pieces(tmp_path: Path) -> None:
    folder = write_llama(tmp_path, tokenizer_class="BertTokenizerFast")
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "elan", "a", "##b", "A"]
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    _, tokenizer = opened(folder)
    assert tokenizer.encode("Élan AB [SEP] x") == [5, 6, 7, 3, 1]
    write_json(folder / "tokenizer_config.json", {"do_lower_case": False})
    assert opened(folder)[1].encode("Élan Ab") == [1, 8, 7]


def test_files_without_a_known_class(tmp_path: Path) -> None:
    folder = llama(tmp_path, tokenizer_class="XLNetTokenizer")
    assert loaders.load(folder).config["tokenizer"] == "tokenizers"  # the model_type decides
    write_json(folder / "tokenizer_config.json", {"offset": 0})
    write_llama(folder, tokenizer_class="PegasusTokenizer")
    with pytest.raises(Unsupported, match="offset is 0, expected 103"):
        loaders.load(folder)


def test_special_tokens_that_are_missing(tmp_path: Path) -> None:
    folder = llama(tmp_path)
    write_json(folder / "tokenizer_config.json", {"bos_token": "<begin>"})
    with pytest.raises(FormatError, match=r"tokenizer\.model is damaged .*<begin>"):
        loaders.load(folder)


# ---- sentencepiece's file ---------------------------------------------------------------


def model_file(folder: Path, content: bytes) -> Path:
    path = folder / "tokenizer.model"
    path.write_bytes(content)
    return path


def test_the_parts_of_a_sentencepiece_model(tmp_path: Path) -> None:
    model = reader.read(model_file(tmp_path, sentencepiece_model(PIECES)))
    assert [piece.text for piece in model.pieces] == ["<unk>", "<s>", "</s>", *PIECES]
    assert [piece.score for piece in model.pieces[3:]] == list(PIECES.values())
    assert (model.kind, model.unknown, model.byte_fallback) == ("unigram", 0, False)
    assert (model.charsmap, model.add_dummy_prefix) == (b"", True)


@pytest.mark.parametrize(
    ("extra", "error", "message"),
    [
        (b"\x12\x02\x18\x03", Unsupported, "model_type is 3, expected 1"),
        (b"\x12\x03\xc0\x01\x01", Unsupported, "treat_whitespace_as_suffix is 1"),
        (b"\x1a\x02\x28\x00", Unsupported, "escape_whitespaces is 0"),
        (b"\x0a\x05\x0a\x01z\x18\x05", Unsupported, "marked as unused"),
        (b"\x0a\x05\x0a\x01z\x18\x02", FormatError, "no unknown piece, or several"),
        (b"\x0a\x05\x0a\x01z\x18\x09", FormatError, "type 9"),
        (b"\x0a\x03\x0a\x01\xff", FormatError, "damaged"),
        (b"\x0a\x84\x08\x0a\x81\x08" + b"z" * 1025, FormatError, "a piece has 1025 characters"),
        (b"\x0a\x7f", FormatError, "127 bytes, but 0 are left"),
        (b"\x0b", FormatError, "wire type 3"),
        (b"\xff" * 11, FormatError, "more than 64 bits"),
        (b"\x0a", FormatError, "damaged"),
    ],
)
def test_damaged_sentencepiece_models(
    tmp_path: Path, extra: bytes, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        reader.read(model_file(tmp_path, sentencepiece_model(PIECES) + extra))


def test_a_tokenizer_json_is_taken_first(tmp_path: Path) -> None:
    folder = llama(tmp_path, vocab_size=261)
    (folder / "tokenizer.json").write_text(json.dumps(byte_level_tokenizer()), encoding="utf-8")
    (folder / "tokenizer.model").write_bytes(b"tiktoken")
    assert opened(folder)[1].tokens([260]) == ["Ġab"]
