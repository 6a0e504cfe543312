"""Turns the tokenizer inside a GGUF file back into a tokenizer.json."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.files.sentencepiece_model import (
    BYTE,
    CONTROL,
    UNKNOWN,
    UNUSED,
    USER_DEFINED,
    Piece,
    SentencePieceModel,
)
from attnengine.loaders.files.text import token_list
from attnengine.loaders.gguf.tokens import KEY, Tokens
from attnengine.loaders.shared import tokenizer_json
from attnengine.loaders.shared.tokenizer_json import SPACE, Json

_PLACEHOLDER = re.compile(r"\[PAD\d+\]")
_NUM_SENTINELS = 100
_PHI3_PLAIN = ("<unk>", "<s>", "<|endoftext|>")  # after other added tokens spaces are dropped
# Models with merges in the order of token ids instead of scores.
_RANKED = ("gemma", "gemma2", "gemma3")


def content(given: Tokens) -> bytes | None:
    """Return the content of a tokenizer.json, or None without a tokenizer."""
    if given.model is None:
        return None
    if given.model not in _MAKERS:
        expected = ", ".join(_MAKERS)
        raise Unsupported(
            f"{given.file.path}: {KEY}model is {given.model!r:.80}, expected one of {expected}"
        )
    return json.dumps(_MAKERS[given.model](given), ensure_ascii=False).encode()


def _byte_level(given: Tokens) -> Json:
    """Return GPT-2's tokenizer with the words of the pre-tokenizer that the file names."""
    merges = token_list(given.file.metadata.get(f"{KEY}merges"), f"{given.file.path}: {KEY}merges")
    vocab = {token: i for i, token in enumerate(given.tokens)}
    pairs = [(first, second) for first, second in (merge.split(" ") for merge in merges)]
    content = tokenizer_json.byte_level(vocab, pairs, split=given.pre.split)
    content["normalizer"] = {"type": "NFC"} if given.pre.normalised else None
    content["model"]["ignore_merges"] = given.pre.whole_words
    if given.pre.digits:
        digits = {"type": "Digits", "individual_digits": True}
        parts = [digits, content["pre_tokenizer"]]
        content["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": parts}
    content["added_tokens"] = [
        tokenizer_json.added_token(i, given.tokens[i], special=kind == CONTROL)
        for i, kind in enumerate(given.types)
        if kind in (CONTROL, USER_DEFINED)
    ]
    return content


def _sentencepiece(given: Tokens, kind: str) -> Json:
    """Return a sentencepiece tokenizer; files store user-defined pieces with plain spaces."""
    scores = given.numbers("scores", 0.0)
    if given.architecture in _RANKED:
        scores = [-float(i) for i in range(len(scores))]
    pieces = [
        Piece(token if type_ == CONTROL else token.replace(" ", SPACE), score, type_)
        for token, score, type_ in zip(given.tokens, scores, given.types, strict=True)
    ]
    if given.architecture == "t5":
        _name_sentinels(pieces)
    if not any(piece.type == UNKNOWN for piece in pieces):
        raise FormatError(f"{given.file.path}: {KEY}token_type has no unknown token")
    charsmap = given.get("precompiled_charsmap", np.empty(0, np.uint8), np.ndarray)
    model = SentencePieceModel(
        kind=kind,
        pieces=pieces,
        byte_fallback=BYTE in given.types,
        charsmap=charsmap.tobytes(),
        add_dummy_prefix=given.get("add_space_prefix", True, bool),
        remove_extra_whitespaces=given.get("remove_extra_whitespaces", False, bool),
    )
    content = tokenizer_json.sentencepiece(model, _without_added(pieces))
    content["added_tokens"] += [
        tokenizer_json.added_token(i, piece.text, special=False)
        for i, piece in enumerate(pieces)
        if _is_added(piece)
    ]
    if given.architecture == "phi3":  # which no file says
        for token in content["added_tokens"]:
            token["rstrip"] = token["content"] not in _PHI3_PLAIN
    return content


def _word_piece(given: Tokens) -> Json:
    """Return BERT's tokenizer; files mark the first pieces of words, not the continuations."""
    whole = [token.startswith(SPACE) for token in given.tokens]
    vocab = {
        token[1:] if starts else token if _is_control(given, i) else f"##{token}": i
        for i, (token, starts) in enumerate(zip(given.tokens, whole, strict=True))
    }
    unknown = given.id("unknown_token_id")
    if unknown is None:
        raise FormatError(f"{given.file.path}: {KEY}unknown_token_id is missing")
    words = [token for token, starts in zip(given.tokens, whole, strict=True) if starts]
    content = tokenizer_json.word_piece(
        vocab,
        unk_token=given.tokens[unknown],
        lowercase=all(word == word.lower() for word in words),  # which no file says
        strip_accents=None,
        handle_chinese_chars=True,
    )
    content["added_tokens"] = [
        tokenizer_json.added_token(i, token, special=True)
        for i, token in enumerate(given.tokens)
        if given.types[i] == CONTROL
    ]
    return content


def _is_control(given: Tokens, i: int) -> bool:
    """Whether a token has no text; in some files only its brackets show that."""
    token = given.tokens[i]
    return given.types[i] == CONTROL or (token.startswith("[") and token.endswith("]"))


def _is_added(piece: Piece) -> bool:
    """Whether a piece is found before spaces are replaced; runs of spaces are found after it."""
    return piece.type == USER_DEFINED and SPACE not in piece.text


def _without_added(pieces: list[Piece]) -> list[Piece]:
    return [replace(piece, type=UNUSED) if _is_added(piece) else piece for piece in pieces]


def _name_sentinels(pieces: list[Piece]) -> None:
    """Name T5's 100 sentinels, which follow the pieces; files call them [PAD32000] and so on."""
    places = [i for i, piece in enumerate(pieces) if _PLACEHOLDER.fullmatch(piece.text)]
    for i, place in enumerate(places[:_NUM_SENTINELS]):
        name = f"<extra_id_{_NUM_SENTINELS - 1 - i}>"
        pieces[place] = replace(pieces[place], text=name, type=CONTROL)


_MAKERS: dict[str, Callable[[Tokens], Json]] = {
    "gpt2": _byte_level,
    "llama": partial(_sentencepiece, kind="bpe"),
    "bert": _word_piece,
    "t5": partial(_sentencepiece, kind="unigram"),
}
