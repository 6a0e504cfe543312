"""The joined pieces of a stream equal the decoded text for any generated tokens."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from attnengine.decoding import loop
from attnengine.decoding.compiled_options import compile_options
from attnengine.decoding.loop import Task
from attnengine.decoding.options import BeamOptions
from attnengine.decoding.sentences import Sentence
from attnengine.engines.base import DecodingEngine
from attnengine.loaders.checkpoint import Vocabulary
from attnengine.loaders.files.sentencepiece_model import BYTE, CONTROL, NORMAL, UNKNOWN, Piece
from attnengine.loaders.files.sentencepiece_model import SentencePieceModel as Model
from attnengine.loaders.huggingface.added_tokens import token_ids
from attnengine.loaders.shared import tokenizer_json
from attnengine.tokenizers import Tokenizer, VocabularyTokenizer
from attnengine.tokenizers.huggingface import HuggingFaceTokenizer

# Characters of one to four bytes, combining characters, spaces and pieces of several characters.
TEXTS = ["a", "b", "▁", "▁a", "▁▁", "é", "€", "\U0001f600", "\u0301", "日本", "\n", "'s", "#", " "]


def library(content: dict[str, Any]) -> Tokenizer:
    size = max(token_ids(content).values()) + 1
    return HuggingFaceTokenizer("", json.dumps(content).encode(), size)


def sentencepiece(kind: str, *, with_bytes: bool, prefix: bool = True) -> Tokenizer:
    pieces = [Piece("<unk>", 0.0, UNKNOWN), Piece("</s>", 0.0, CONTROL)]
    if with_bytes:
        pieces += [Piece(f"<0x{byte:02X}>", 0.0, BYTE) for byte in range(256)]
    pieces += [Piece(text, -float(i), NORMAL) for i, text in enumerate(TEXTS)]
    model = Model(kind, pieces, with_bytes, b"", prefix, remove_extra_whitespaces=False)
    return library(tokenizer_json.sentencepiece(model, pieces))


def metaspace() -> Tokenizer:
    content = tokenizer_json.byte_level({text: i for i, text in enumerate(TEXTS)}, [])
    content["decoder"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}
    return library(content)


def byte_level() -> Tokenizer:
    tokens = ["<|end|>", *sorted(pre_tokenizers.ByteLevel.alphabet()), "Ġa", "Ã©", "Ġab"]
    merges = [("Ġ", "a"), ("Ã", "©"), ("Ġa", "b")]
    content = tokenizer_json.byte_level({token: i for i, token in enumerate(tokens)}, merges)
    content["added_tokens"] = [tokenizer_json.added_token(0, "<|end|>", special=True)]
    return library(content)


def word_piece() -> Tokenizer:
    tokens = ["[UNK]", "a", "##b", ".", "don", "'", "t", "##ü", "n't", "##'s"]
    options: dict[str, Any] = {"lowercase": True, "strip_accents": None}
    vocab = {token: i for i, token in enumerate(tokens)}
    return library(
        tokenizer_json.word_piece(vocab, unk_token="[UNK]", handle_chinese_chars=True, **options)
    )


def vocabulary(kind: str) -> Tokenizer:
    return VocabularyTokenizer("", kind, Vocabulary(tuple(TEXTS)), len(TEXTS))


KINDS: dict[str, Callable[[], Tokenizer]] = {
    "byte level": byte_level,
    "bpe with bytes": lambda: sentencepiece("bpe", with_bytes=True),
    "bpe with bytes, no prefix": lambda: sentencepiece("bpe", with_bytes=True, prefix=False),
    "unigram": lambda: sentencepiece("unigram", with_bytes=False),
    "unigram with bytes": lambda: sentencepiece("unigram", with_bytes=True),
    "metaspace": metaspace,
    "word piece": word_piece,
    "characters": lambda: vocabulary("characters"),
    "words": lambda: vocabulary("words"),
}
opened = functools.cache(lambda kind: KINDS[kind]())


def pieces(tokenizer: Tokenizer, ids: list[int], after: list[int], cuts: list[int]) -> list[str]:
    """The pieces that an engine streams when `cuts[i]` tokens are certain after step i."""

    def certain(*_: object) -> Iterator[list[int]]:
        yield from (ids[:cut] for cut in cuts)
        yield ids

    engine = object.__new__(DecodingEngine)
    engine._output, engine._model, engine.config = tokenizer, None, {"eos_token_id": None}
    task = Task(Sentence([0]), 1, compile_options(BeamOptions(), []))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "stream", certain)
        return [*engine._pieces(task, [], after)]


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_pieces_joined_are_the_text(kind: str, data: st.DataObject) -> None:
    tokenizer = opened(kind)
    token = st.integers(0, tokenizer.vocab_size - 1)
    after = data.draw(st.lists(token, max_size=4))
    ids = data.draw(st.lists(token, max_size=12))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(ids)), max_size=12)))
    streamed = pieces(tokenizer, ids, after, cuts)
    assert "".join(streamed) == tokenizer.decode(ids, after)
    assert "" not in streamed


@pytest.mark.parametrize("kind", ["byte level", "bpe with bytes", "unigram with bytes"])
@given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=12))
def test_every_text_comes_back_byte_for_byte(kind: str, text: str) -> None:
    tokenizer = opened(kind)
    text = text.replace("▁", "").replace("<", "")  # sentencepiece's space; special tokens
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    streamed = pieces(tokenizer, ids, [], [*range(len(ids))])
    assert "".join(streamed) == text
    assert not any("\ufffd" in piece for piece in streamed) or "\ufffd" in text
