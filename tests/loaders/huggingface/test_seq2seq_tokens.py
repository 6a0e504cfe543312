"""Encoder-decoder folders with one tokenizer for source and target, and languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.checkpoint import Checkpoint, vocabularies
from attnengine.loaders.huggingface.tokens import Tokens, read_tokens
from attnengine.loaders.schema import check
from attnengine.loaders.shared import tokenizer_json
from attnengine.tokenizers import open_tokenizer
from tests.loaders.huggingface.huggingface_files import (
    PIECES,
    byte_level_tokenizer,
    sentencepiece_model,
    write_json,
)

CONFIG: dict[str, Any] = {"eos_token_id": 1, "decoder_start_token_id": 1, "pad_token_id": 5}


def read(folder: Path, model_type: str, size: int = 300, **given: Any) -> Tokens:
    given = {"model_type": model_type, **CONFIG, **given}
    config = {**given, "source_vocab_size": size, "target_vocab_size": size}
    tokens = read_tokens(folder, given, config, kind="seq2seq")
    check({**config, "architecture": model_type, **tokens.config}, tokens.vocabularies, "config")
    return tokens


def tokenizer_file(folder: Path, before: list[str], after: list[str]) -> None:
    """Write a tokenizer.json that adds special tokens before and after a text."""
    content = byte_level_tokenizer()
    ids = {"<s>": 0, "</s>": 1, "a": content["model"]["vocab"]["a"]}
    tokenizer_json.around(
        content, [(token, ids[token]) for token in before], [(token, ids[token]) for token in after]
    )
    write_json(folder / "tokenizer.json", content)


@pytest.mark.parametrize(("before", "after"), [(["<s>"], ["</s>"]), ([], ["</s>"]), ([], [])])
def test_what_is_put_around_a_source(tmp_path: Path, before: list[str], after: list[str]) -> None:
    tokenizer_file(tmp_path, before, after)
    config = read(tmp_path, "bart").config
    assert config["tokenizer"] == {"source": "tokenizers", "target": "tokenizers"}
    assert (config["add_source_bos"], config["add_source_eos"]) == (bool(before), bool(after))
    if before:
        assert config["source_bos_token_id"] == 0
    if after:
        assert config["source_eos_token_id"] == 1
    assert config["suppress_tokens"] == []  # only Marian suppresses the padding token


def test_a_post_processor_of_roberta(tmp_path: Path) -> None:
    content = byte_level_tokenizer()
    content["post_processor"] = {"type": "RobertaProcessing", "sep": ["</s>", 1], "cls": ["<s>", 0]}
    write_json(tmp_path / "tokenizer.json", {**content, "truncation": None})
    config = read(tmp_path, "bart").config
    assert (config["source_bos_token_id"], config["source_eos_token_id"]) == (0, 1)


def test_more_tokens_than_one(tmp_path: Path) -> None:
    tokenizer_file(tmp_path, ["<s>", "a"], [])
    with pytest.raises(Unsupported, match="2 tokens are put before or behind a text, expected one"):
        read(tmp_path, "bart")


def test_tokens_of_the_search(tmp_path: Path) -> None:
    """generation_config.json goes before config.json, with and without a tokenizer."""
    config = read(tmp_path, "bart", forced_bos_token_id=0, begin_suppress_tokens=[7, 6, 7]).config
    assert config["forced_bos_token_id"] == 0
    assert config["begin_suppress_tokens"] == [6, 7]
    assert config["tokenizer"] == {"source": "none", "target": "none"}
    write_json(tmp_path / "generation_config.json", {"forced_bos_token_id": 3})
    assert read(tmp_path, "bart", forced_bos_token_id=0).config["forced_bos_token_id"] == 3
    assert "forced_bos_token_id" not in read(tmp_path / "none", "bart").config
    with pytest.raises(FormatError, match=r"begin_suppress_tokens has \['a'\], expected ids"):
        read(tmp_path, "bart", begin_suppress_tokens=["a"])


# ---- languages --------------------------------------------------------------------------


def multilingual(folder: Path, **settings: Any) -> None:
    """Write a tokenizer.json with two of NLLB's languages."""
    content = byte_level_tokenizer()
    for i, code in ((270, "deu_Latn"), (271, "eng_Latn")):
        content["model"]["vocab"][code] = i
        content["added_tokens"].append(tokenizer_json.added_token(i, code, special=True))
    write_json(folder / "tokenizer.json", content)
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "NllbTokenizer", **settings})


def test_languages_of_a_tokenizer_json(tmp_path: Path) -> None:
    multilingual(tmp_path)
    config = read(tmp_path, "m2m_100", forced_bos_token_id=270).config
    assert config["languages"] == {"deu_Latn": 270, "eng_Latn": 271}
    assert config["language_place"] == "before"
    assert (config["source_language"], config["target_language"]) == ("eng_Latn", "deu_Latn")
    assert "forced_bos_token_id" not in config  # the target language gives this token
    multilingual(tmp_path, src_lang="deu_Latn", tgt_lang="eng_Latn")
    config = read(tmp_path, "m2m_100").config
    assert (config["source_language"], config["target_language"]) == ("deu_Latn", "eng_Latn")


def test_languages_of_mbart(tmp_path: Path) -> None:
    (tmp_path / "sentencepiece.bpe.model").write_bytes(sentencepiece_model(PIECES))
    config = read(tmp_path, "mbart", decoder_start_token_id=9).config
    # fairseq's four tokens, five pieces, and 25 languages in alphabetical order
    assert config["languages"]["ar_AR"] == 9
    assert config["languages"]["zh_CN"] == 33
    assert config["language_place"] == "behind"
    assert (config["source_language"], config["target_language"]) == ("en_XX", "ar_AR")
    fifty = read(tmp_path, "mbart", tokenizer_class="MBart50Tokenizer").config
    assert (len(fifty["languages"]), fifty["language_place"]) == (52, "before")


def test_languages_of_m2m_100(tmp_path: Path) -> None:
    names = ["<s>", "<pad>", "</s>", "<unk>", *PIECES]
    (tmp_path / "sentencepiece.bpe.model").write_bytes(sentencepiece_model(PIECES))
    write_json(tmp_path / "vocab.json", {name: i for i, name in enumerate(names)})
    tokens = read(tmp_path, "m2m_100", size=120)
    assert tokens.config["languages"]["af"] == 9
    assert tokens.vocabularies["source"][9] == "__af__"
    assert tokens.config["tokenizer"] == {"source": "sentencepiece", "target": "sentencepiece"}
    assert set(tokens.files) == {"source.spm", "target.spm"}
    with pytest.raises(FormatError, match="'__ur__' has id 100, expected 0 to 99"):
        read(tmp_path, "m2m_100", size=100)


@pytest.mark.parametrize("settings", [{"legacy_behaviour": True}, {"language_codes": "wmt21"}])
def test_languages_that_are_not_supported(tmp_path: Path, settings: dict[str, Any]) -> None:
    multilingual(tmp_path, **settings)
    with pytest.raises(Unsupported, match=f"{next(iter(settings))} is "):
        read(tmp_path, "m2m_100")


@pytest.mark.peers
def test_m2m_100_needs_one_file_for_both_sides(tmp_path: Path) -> None:
    pytest.importorskip("sentencepiece")
    names = ["<s>", "<pad>", "</s>", "<unk>", *PIECES]
    (tmp_path / "sentencepiece.bpe.model").write_bytes(sentencepiece_model(PIECES))
    write_json(tmp_path / "vocab.json", {name: i for i, name in enumerate(names)})
    tokens = read(tmp_path, "m2m_100", size=120, eos_token_id=2, pad_token_id=1)
    config = {"source_vocab_size": 120, "target_vocab_size": 120, **tokens.config}
    found = vocabularies(tokens.vocabularies)
    checkpoint = Checkpoint(config, {}, found, tmp_path, tokens.files)
    source, target = (open_tokenizer(checkpoint, side) for side in ("source", "target"))
    ids = source.encode("ab c")
    assert target.decode([9, *ids, 2]) == "ab c"  # languages and end tokens have no text
