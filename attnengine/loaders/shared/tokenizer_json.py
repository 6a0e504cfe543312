"""The content of a tokenizer.json, made from what other files say of a tokenizer.

Every function returns the object that the library ``tokenizers`` reads as JSON.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attnengine.loaders.files.sentencepiece_model import (
    CONTROL,
    NORMAL,
    UNKNOWN,
    USER_DEFINED,
    Piece,
    SentencePieceModel,
)

Json = dict[str, Any]
Tokens = Sequence[tuple[str, int]]  # text and id of each
SPACE = "▁"

# What the pre-tokenizer of Qwen2 splits a text into.
QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def byte_level(
    vocab: Mapping[str, int],
    merges: Sequence[tuple[str, str]],
    *,
    add_prefix_space: bool = False,
    split: str | None = None,
) -> Json:
    """GPT-2's byte-level BPE (Radford et al. 2019).

    ``split`` is a pattern for the words within which bytes are merged, instead of GPT-2's; texts
    are then normalised (NFC), as Qwen2 does.
    """
    level: Json = {
        "type": "ByteLevel",
        "add_prefix_space": add_prefix_space,
        "trim_offsets": True,
        "use_regex": split is None,
    }
    pre_tokenizer = level
    if split is not None:
        pre_tokenizer = _sequence("pretokenizers", [_split(split), level])
    return _content(
        _bpe(vocab, merges),
        normalizer=None if split is None else {"type": "NFC"},
        pre_tokenizer=pre_tokenizer,
        decoder=level,
    )


def word_piece(
    vocab: Mapping[str, int],
    *,
    unk_token: str,
    lowercase: bool,
    strip_accents: bool | None,
    handle_chinese_chars: bool,
) -> Json:
    """BERT's tokenizer (Devlin et al. 2019); accents go with the case unless told otherwise."""
    model = {
        "type": "WordPiece",
        "unk_token": unk_token,
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": dict(vocab),
    }
    normalizer = {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": handle_chinese_chars,
        "strip_accents": strip_accents,
        "lowercase": lowercase,
    }
    return _content(
        model,
        normalizer=normalizer,
        pre_tokenizer={"type": "BertPreTokenizer"},
        decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
    )


def sentencepiece(
    model: SentencePieceModel, pieces: Sequence[Piece], *, prefix: bool = True
) -> Json:
    """What sentencepiece (Kudo and Richardson 2018) does with a model, for the ids of ``pieces``.

    These are the model's own, or others before and behind them. Control pieces become special
    tokens, which are found in a text. Pieces that a user defined are always taken whole. Without
    ``prefix`` nothing is put before a text or behind a special token in it.
    """
    unknown = next(i for i, piece in enumerate(pieces) if piece.type == UNKNOWN)
    vocab = {piece.text: i for i, piece in enumerate(pieces)}
    if model.kind == "unigram":
        library: Json = {
            "type": "Unigram",
            "unk_id": unknown,
            "vocab": [[piece.text, piece.score] for piece in pieces],
            "byte_fallback": model.byte_fallback,
        }
    else:
        library = _bpe(vocab, _merges(pieces), unk_token=pieces[unknown].text)
        library["byte_fallback"] = model.byte_fallback
    content = _content(library, normalizer=_normalizer(model, prefix), decoder=_decoder(model))
    content["added_tokens"] = [
        added_token(i, piece.text, special=True)
        for i, piece in enumerate(pieces)
        if piece.type in (CONTROL, UNKNOWN)
    ]
    if whole := sorted((p.text for p in pieces if p.type == USER_DEFINED), key=len, reverse=True):
        content["pre_tokenizer"] = _split("|".join(map(re.escape, whole)))
        library["ignore_merges"] = True
    return content


def utf8_bytes(first: Sequence[str], last: Sequence[str]) -> Json:
    """ByT5's tokenizer (Xue et al. 2022): special tokens, the 256 bytes of UTF-8, more specials.

    ``first`` ends with the unknown token. These tokens take the spaces around them away.
    """
    tokens = [*first, *(f"<0x{byte:02X}>" for byte in range(256)), *last]
    library = _bpe({token: i for i, token in enumerate(tokens)}, [], unk_token=first[-1])
    library["byte_fallback"] = True
    decoder = _sequence("decoders", [{"type": "ByteFallback"}, {"type": "Fuse"}])
    content = _content(library, normalizer=None, decoder=decoder)
    content["added_tokens"] = [
        added_token(i, token, special=True, lstrip=token in first, rstrip=token in first)
        for i, token in enumerate(tokens)
        if token in {*first, *last}
    ]
    return content


def added_token(i: int, text: str, *, special: bool, **flags: bool) -> Json:
    """A token that is found in a text before it is split."""
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": i, "content": text, **plain, **flags, "special": special}


def around(
    content: Json, before: Sequence[tuple[str, int]], after: Sequence[tuple[str, int]]
) -> None:
    """Let tokens be put before and after every text."""
    text = {"Sequence": {"id": "A", "type_id": 0}}

    def named(tokens: Tokens) -> list[Json]:
        return [{"SpecialToken": {"id": token, "type_id": 0}} for token, _ in tokens]

    single = [*named(before), text, *named(after)]
    content["post_processor"] = {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {
            token: {"id": token, "ids": [i], "tokens": [token]} for token, i in (*before, *after)
        },
    }


def _merges(pieces: Iterable[Piece]) -> list[tuple[str, str]]:
    """Every way to put a piece together from two others, the best piece first."""
    ranks = {p.text: i for i, p in enumerate(pieces) if p.type in (NORMAL, USER_DEFINED)}
    scores = {p.text: p.score for p in pieces}
    found = []
    for text in ranks:
        parts = [(text[:cut], text[cut:]) for cut in range(1, len(text))]
        known = [(ranks[a], ranks[b], a, b) for a, b in parts if a in ranks and b in ranks]
        found += [(-scores[text], ranks[text], *part) for part in sorted(known)]
    return [(a, b) for *_, a, b in sorted(found)]


def _normalizer(model: SentencePieceModel, prefix: bool) -> Json:
    parts: list[Json] = []
    if model.charsmap:
        text = base64.b64encode(model.charsmap).decode()
        parts.append({"type": "Precompiled", "precompiled_charsmap": text})
    if model.remove_extra_whitespaces:
        parts += [_replace({"Regex": "^ +| +$"}, ""), _replace({"Regex": " {2,}"}, " ")]
    if model.add_dummy_prefix and prefix:
        parts.append({"type": "Prepend", "prepend": SPACE})
    return _sequence("normalizers", [*parts, _replace({"String": " "}, SPACE)])


def _decoder(model: SentencePieceModel) -> Json:
    parts = [_replace({"String": SPACE}, " ")]
    if model.byte_fallback:
        parts.append({"type": "ByteFallback"})
    parts.append({"type": "Fuse"})
    if model.add_dummy_prefix:
        parts.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    return _sequence("decoders", parts)


def _split(pattern: str) -> Json:
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated"}
    return {**split, "invert": False}


def _replace(pattern: Json, content: str) -> Json:
    return {"type": "Replace", "pattern": pattern, "content": content}


def _sequence(name: str, parts: list[Json]) -> Json:
    return {"type": "Sequence", name: parts}


def _bpe(
    vocab: Mapping[str, int], merges: Sequence[tuple[str, str]], unk_token: str | None = None
) -> Json:
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": unk_token,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": unk_token is not None,
        "byte_fallback": False,
        "vocab": dict(vocab),
        "merges": [list(pair) for pair in merges],
    }


def _content(model: Json, **parts: Any) -> Json:
    """A whole tokenizer.json around its model."""
    empty = ("truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder")
    return {"version": "1.0", "added_tokens": [], **dict.fromkeys(empty), **parts, "model": model}
