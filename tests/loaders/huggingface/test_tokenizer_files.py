from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import attnengine as ae
from attnengine import cli, loaders, models
from attnengine.errors import FormatError, InvalidArgument, Unsupported
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.reference.random_weights import random_weights
from attnengine.tokenizers import Tokenizer, open_tokenizer
from attnengine.tokenizers.huggingface import HuggingFaceTokenizer
from tests.loaders.huggingface.huggingface_files import (
    MARIAN_VOCABULARY,
    PIECES,
    byte_fallback_tokenizer,
    byte_level_tokenizer,
    sentencepiece_model,
    write_json,
    write_llama,
    write_marian,
)

# Letters with and without a merge, characters of two to four bytes, tabs and newlines.
TEXT = "ab a é\tb\n ü€ \U0001f600 ab"
MAKERS = pytest.mark.parametrize("make", [byte_level_tokenizer, byte_fallback_tokenizer])
Make = Callable[[], dict[str, Any]]


def opened(folder: Path, content: dict[str, Any], size: int = 265) -> HuggingFaceTokenizer:
    return HuggingFaceTokenizer("", write_json(folder / "tokenizer.json", content), size)


# ---- tokenizer.json ---------------------------------------------------------------------


@MAKERS
def test_text_to_ids_and_back(tmp_path: Path, make: Make) -> None:
    tokenizer = opened(tmp_path, make())
    ids = tokenizer.encode(TEXT)
    assert tokenizer.decode(ids) == TEXT
    assert tokenizer.ids(tokenizer.tokens(ids)) == ids
    assert tokenizer.encode("") == []
    assert tokenizer.decode([]) == ""


def test_nothing_is_added_and_nothing_cut(tmp_path: Path) -> None:
    """The engine ignores the post-processor's begin token and the truncation in the file."""
    tokens = opened(tmp_path, byte_level_tokenizer())
    assert tokens.tokens(tokens.encode("ab a ab")) == ["a", "b", "Ġa", "Ġab"]
    assert tokens.encode("<s>b") == [0, *tokens.encode("b")]


def test_special_tokens_have_no_text(tmp_path: Path) -> None:
    tokenizer = opened(tmp_path, byte_fallback_tokenizer())
    a, b = tokenizer.ids(["▁a", "b"])
    assert tokenizer.decode([1, a, 0, b, 2]) == "ab"


@MAKERS
def test_a_text_only_grows(tmp_path: Path, make: Make) -> None:
    tokenizer = opened(tmp_path, make())
    ids = tokenizer.encode(TEXT)
    sent = ""
    for count in range(len(ids) + 1):
        text = tokenizer.decode(ids[:count], final=False)
        assert text.startswith(sent)
        assert "\ufffd" not in text
        sent = text
    assert sent == TEXT


def test_a_character_appears_with_its_last_byte(tmp_path: Path) -> None:
    tokenizer = opened(tmp_path, byte_fallback_tokenizer())
    ids = tokenizer.ids([f"<0x{byte:02X}>" for byte in "x€".encode()])
    texts = [tokenizer.decode(ids[:count], final=False) for count in range(5)]
    assert texts == ["", "x", "x", "x", "x€"]
    assert tokenizer.decode(ids[:3]) == "x\ufffd"  # half of a character


def test_a_continuation_keeps_its_space(tmp_path: Path) -> None:
    tokenizer = opened(tmp_path, byte_fallback_tokenizer())
    ids = tokenizer.ids(["▁a", "▁ab"])
    assert tokenizer.decode(ids) == "a ab"
    assert tokenizer.decode(ids, after=[1]) == "a ab"  # after a begin token only
    assert tokenizer.decode(ids, after=[1, *ids]) == " a ab"


def test_other_decoders(tmp_path: Path) -> None:
    content = byte_fallback_tokenizer()
    content["decoder"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}
    tokenizer = opened(tmp_path, content)
    ids = tokenizer.ids(["▁a", "▁ab", "b"])
    assert tokenizer.decode(ids) == "a abb"
    assert tokenizer.decode(ids[1:], after=ids[:1]) == " abb"
    assert tokenizer.decode(ids, final=False) == "a abb"


def test_what_a_model_does_not_know(tmp_path: Path) -> None:
    tokenizer = opened(tmp_path, byte_level_tokenizer(), size=260)
    with pytest.raises(InvalidArgument, match="id 260 at position 0, expected 0 to 259"):
        tokenizer.encode(" ab")
    with pytest.raises(InvalidArgument, match="token 'abc' at position 1 is not in the vocab"):
        tokenizer.ids(["a", "abc"])
    with pytest.raises(InvalidArgument, match="half of a surrogate pair"):
        tokenizer.encode("a\ud83d")
    assert tokenizer.tokens([300]) == ["<id 300>"]
    with pytest.raises(FormatError, match=r"tokenizer\.json is missing"):
        HuggingFaceTokenizer("", tmp_path / "other" / "tokenizer.json", 5)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(FormatError, match="the library tokenizers failed"):
        HuggingFaceTokenizer("", tmp_path / "tokenizer.json", 5)


# ---- engines ----------------------------------------------------------------------------


def language_model(folder: Path, make: Make, **changes: Any) -> ae.LanguageModel:
    """A random model over the tokens of a tokenizer.json, loaded with `ae.load`."""
    config: dict[str, Any] = {
        "architecture": "rnn_lm",
        "vocab_size": 265,
        "embedding_size": 8,
        "hidden_size": 8,
        "num_layers": 1,
        "cell": "gru",
        "nonlinearity": "tanh",
        "tied_output": False,
        "max_positions": None,
    }
    weights = {name: 3 * array for name, array in random_weights(config, seed=1).items()}
    tokens = {"tokenizer": "tokenizers", "bos_token_id": 1, "eos_token_id": None}
    tokens |= {"pad_token_id": None, "unk_token_id": None, **changes}
    file = write_json(folder / "tokenizer.json", make())
    ae.save(folder, {**config, **tokens}, weights, {}, {"tokenizer.json": file})
    checkpoint = loaders.load(folder)
    model = models.build(config, checkpoint.tensors)
    return ae.LanguageModel(model, checkpoint, {})


def test_generate_on_the_command_line(tmp_path: Path) -> None:
    model = language_model(tmp_path, byte_level_tokenizer)
    (tmp_path / "lines").write_text("ab\n a ü\n", encoding="utf-8")
    arguments = ["--model", str(tmp_path), "--input", str(tmp_path / "lines"), "--json"]
    arguments += ["--output", str(tmp_path / "answers"), "--max-new-tokens", "5"]
    assert cli.run(["generate", *arguments]) == 0
    answers = (tmp_path / "answers").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in answers]
    assert texts == [model.generate(text, max_new_tokens=5).text for text in ("ab", " a ü")]


@MAKERS
def test_streamed_text_is_the_text(tmp_path: Path, make: Make) -> None:
    """The random model generates random bytes, most of them no UTF-8."""
    model = language_model(tmp_path, make)
    for seed in range(8):
        options: dict[str, Any] = {"max_new_tokens": 40, "seed": seed}
        pieces = list(model.stream("ab", **options))
        assert "".join(pieces) == model.generate("ab", **options).text
        assert "" not in pieces
        assert len(pieces) > 1


def test_a_begin_token_is_added_where_the_config_says(tmp_path: Path) -> None:
    ids = [70, 71, 72]
    for add in (True, False):
        model = language_model(tmp_path, byte_level_tokenizer, add_bos=add)
        expected = np.argmax(model.logits([1, *ids] if add else ids)[-1])
        assert model.generate(ids, max_new_tokens=1).hypotheses[0].ids == [expected]
        assert len(model.score(model.tokenizer.decode(ids)).ids) == len(ids) - (not add)
        first = np.argmax(model.logits([1])[-1])  # an empty prompt starts from the begin token
        assert model.generate("", max_new_tokens=1).hypotheses[0].ids == [first]


@pytest.mark.parametrize("options", [{"beam_size": 3}, {"seed": 1, "num_hypotheses": 3}])
def test_suppressed_tokens_are_never_generated(tmp_path: Path, options: dict[str, Any]) -> None:
    free = language_model(tmp_path, byte_level_tokenizer)
    found = free.generate("ab", max_new_tokens=8, **options)
    forbidden = sorted({i for hypothesis in found.hypotheses for i in hypothesis.ids})

    model = language_model(tmp_path, byte_level_tokenizer, suppress_tokens=forbidden)

    result = model.generate("ab", max_new_tokens=8, **options)
    for hypothesis in result.hypotheses:
        assert not set(hypothesis.ids) & set(forbidden)
    # a user's rules act in addition, and scores are the model's
    best = result.hypotheses[0].ids[0]

    def rule(logits: NDArray[np.float32], search: object) -> None:
        logits[:, best] = -np.inf

    with_rule = model.generate("ab", max_new_tokens=8, rules=[rule], **options)
    assert best not in with_rule.hypotheses[0].ids
    assert not set(with_rule.hypotheses[0].ids) & set(forbidden)
    ids = forbidden[:1] * 2
    assert model.score(ids).token_log_probs == free.score(ids).token_log_probs


# ---- sentencepiece ----------------------------------------------------------------------


def marian_tokenizer(folder: Path, side: str = "source") -> Tokenizer:
    pytest.importorskip("sentencepiece")
    return open_tokenizer(loaders.load(write_marian(folder)), side)


@pytest.mark.peers
def test_pieces(tmp_path: Path) -> None:
    tokenizer = marian_tokenizer(tmp_path)
    ids = tokenizer.encode("ab ab")
    assert tokenizer.tokens(ids) == ["▁a", "b", "▁a", "b"]
    assert tokenizer.decode(ids) == "ab ab"
    assert tokenizer.encode("c a") == [4, 1, 2]  # "c" is a piece without an id, so it is unknown
    assert tokenizer.decode([4, 1, 2, 0, 7]) == "a"  # special tokens have no text
    assert tokenizer.encode("") == []
    assert tokenizer.ids(["b", "x"]) == [3, 1]
    with pytest.raises(InvalidArgument, match="half of a surrogate pair"):
        tokenizer.encode("\ud83d")


@pytest.mark.peers
def test_a_model_translates_with_pieces(tmp_path: Path) -> None:
    pytest.importorskip("sentencepiece")
    marian = loaders.load(write_marian(tmp_path / "marian"))
    config: dict[str, Any] = {
        **{key: marian.config[key] for key in marian.config if key.endswith("_id")},
        **{"architecture": "transformer", "tokenizer": marian.config["tokenizer"]},
        **{"add_source_bos": False, "add_source_eos": True},
        **{"source_vocab_size": 8, "target_vocab_size": 8, "hidden_size": 8},
        **{"intermediate_size": 8, "encoder_num_layers": 1, "decoder_num_layers": 1},
        **{"num_heads": 2, "norm_placement": "post", "final_norm": False, "norm_eps": 1e-5},
        **{"activation": "relu", "positions": "sinusoidal", "position_layout": "halves"},
        **{"position_offset": 0, "max_positions": 40, "scale_embeddings": True},
        **{"shared_embeddings": True, "tied_output": True},
    }
    tokens = {side: one.tokens for side, one in marian.vocabularies.items()}
    folder = tmp_path / "model"
    ae.save(folder, config, random_weights(config, seed=2), tokens, marian.tokenizer_files)

    model = ae.load(folder)

    assert isinstance(model, ae.Seq2Seq)
    ids = model.source_tokenizer.ids(["▁a", "b"])
    result, by_ids = model.translate(["ab"])[0], model.translate([ids])[0]
    assert result.hypotheses[0].ids == by_ids.hypotheses[0].ids
    assert result.text == model.target_tokenizer.decode(result.hypotheses[0].ids)
    assert "".join(model.stream("ab")) == result.text


@pytest.mark.peers
def test_a_language_before_the_text(tmp_path: Path) -> None:
    tokenizer = marian_tokenizer(tmp_path)
    assert tokenizer.encode(">>fra<< ab") == [MARIAN_VOCABULARY[">>fra<<"], *tokenizer.encode("ab")]
    assert tokenizer.encode(">>xyz<<ab") == [1, *tokenizer.encode("ab")]


@pytest.mark.peers
def test_a_sentencepiece_model_that_is_none(tmp_path: Path) -> None:
    marian_tokenizer(tmp_path / "sound")
    folder = write_marian(tmp_path / "damaged")
    (folder / "source.spm").write_bytes(sentencepiece_model({})[:20])
    with pytest.raises(FormatError, match=r"source\.spm is not a valid SentencePiece model"):
        open_tokenizer(loaders.load(folder), "source")


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(Unsupported, match=r"pip install 'attnengine\[sentencepiece\]'"):
        open_tokenizer(loaders.load(write_marian(tmp_path)), "source")


def test_files_that_are_missing(tmp_path: Path) -> None:
    checkpoint = loaders.load(write_marian(tmp_path, tokenizer=False))
    assert open_tokenizer(checkpoint, "target").encode("3 4") == [3, 4]
    config = {
        **checkpoint.config,
        "tokenizer": dict.fromkeys(("source", "target"), "sentencepiece"),
    }
    without = Checkpoint(config, {}, {}, tmp_path, {"target.spm": tmp_path / "target.spm"})
    with pytest.raises(FormatError, match="the target vocabulary is missing"):
        open_tokenizer(without, "target")


@pytest.mark.parametrize(
    ("name", "switches", "added"),
    [
        ("LlamaTokenizerFast", {"add_bos_token": True}, [2]),
        ("LlamaTokenizer", {"add_bos_token": True, "add_eos_token": False}, [2]),
        ("LlamaTokenizerFast", {"add_bos_token": False}, []),
        ("LlamaTokenizerFast", {}, []),  # the file decides, which puts nothing around a text
        ("PreTrainedTokenizerFast", {"add_bos_token": True}, []),
        ("GPT2TokenizerFast", {"add_bos_token": True}, []),
    ],
)
def test_classes_that_put_tokens_around_by_their_switches(
    tmp_path: Path, name: str, switches: dict[str, bool], added: list[int]
) -> None:
    """Version 4 of transformers, with which DeepSeek's folders were made, does so."""
    write_llama(tmp_path, vocab_size=265, bos_token_id=2)
    content = byte_level_tokenizer()
    begin = next(text for text, i in content["model"]["vocab"].items() if i == 2)
    content["post_processor"] = None
    write_json(tmp_path / "tokenizer.json", content)
    settings = {"tokenizer_class": name, "bos_token": begin, "eos_token": begin, **switches}
    write_json(tmp_path / "tokenizer_config.json", settings)
    config = loaders.load(tmp_path).config
    assert ([config["bos_token_id"]] if config["add_bos"] else []) == added


@pytest.mark.parametrize(
    ("legacy", "expected"),
    [
        (True, [["▁a", "b"], ["▁a", "</s>", "▁a", "b"], ["</s>", "▁a"], ["▁", "▁a"]]),
        (False, [["▁a", "b"], ["▁a", "</s>", "a", "b"], ["</s>", "a"], ["▁", "▁a"]]),
    ],
)
def test_a_space_before_the_text_alone(
    tmp_path: Path, legacy: bool, expected: list[list[str]]
) -> None:
    """Version 4 of transformers reads the switch; sentencepiece itself knows no special tokens."""
    write_llama(tmp_path, bos_token_id=1, eos_token_id=2)
    plain = {"remove_extra_whitespaces": False}
    (tmp_path / "tokenizer.model").write_bytes(sentencepiece_model(PIECES, **plain))
    settings = {"tokenizer_class": "LlamaTokenizer", "legacy": legacy}
    write_json(tmp_path / "tokenizer_config.json", settings)
    tokenizer = open_tokenizer(loaders.load(tmp_path))
    found = [tokenizer.tokens(tokenizer.encode(text)) for text in ("ab", "a</s>ab", "</s>a", " a")]
    assert found == expected
    assert tokenizer.encode("") == []
    assert tokenizer.decode(tokenizer.encode("ab a")) == "ab a"
