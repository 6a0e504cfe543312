"""The tokenizer inside a GGUF file, as the tokenizer.json that it was made from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema, tokenizer_json
from attnengine.loaders.files import VOCABULARY_LIMIT, short, token_list
from attnengine.loaders.gguf.container import Container
from attnengine.loaders.names.gguf.tokenizers import PRE_TOKENIZERS, PreTokenizer
from attnengine.loaders.names.huggingface.family import Kind
from attnengine.loaders.sentencepiece_model import (
    BYTE,
    CONTROL,
    NORMAL,
    UNKNOWN,
    USER_DEFINED,
    Piece,
    SentencePieceModel,
)
from attnengine.loaders.tokenizer_json import SPACE, Json

_KEY = "tokenizer.ggml."
_LONGEST = 512  # characters of a token: every way to cut one in two may be a merge
_TEMPLATE = "tokenizer.chat_template"
# Keys of the config -> what files call them, the first that is there.
_SPECIAL = {
    "bos_token_id": ("bos_token_id", "cls_token_id"),
    "pad_token_id": ("padding_token_id",),
    "unk_token_id": ("unknown_token_id",),
}
_ENDS = ("eos_token_id", "eot_token_id", "eom_token_id")  # of a text, a turn, a message
# Whose scores are not the order of the merges; their places are.
_RANKED = ("gemma", "gemma2", "gemma3")


class Tokens:
    """What a file says of text: keys of the config, and the content of a tokenizer.json."""

    def __init__(self, file: Container, vocab_size: int) -> None:
        self.file = file
        model = self.get("model", None, str)
        self.model = None if model in ("none", "no_vocab") else model
        tokens = file.metadata.get(f"{_KEY}tokens", [])
        self.tokens = token_list(tokens, f"{file.path}: {_KEY}tokens")
        self.check(vocab_size)
        self.types = self.numbers("token_type", NORMAL)
        self.pre = self.pre_tokenizer()

    def config(self, kind: Kind) -> dict[str, Any]:
        """Special ids, and what is put around a text, for a decoder, an encoder or both."""
        special: dict[str, Any] = {key: self.id(*names) for key, names in _SPECIAL.items()}
        ends = [i for i in dict.fromkeys(map(self.id, _ENDS)) if i is not None]
        special["eos_token_id"] = ends if len(ends) > 1 else next(iter(ends), None)
        if self.model == "gpt2":  # whose bytes are all known
            special["unk_token_id"] = None
        special.update(self.chat())
        library = "none" if self.model is None else "tokenizers"
        config = {**special, "tokenizer": library, "suppress_tokens": []}
        begin, end = self.added(special)
        if kind == "decoder":
            if end:
                raise Unsupported(f"{self.file.path}: {_KEY}add_eos_token is true, expected false")
            return {**config, "add_bos": begin}
        if kind == "encoder":
            last = self.id("seperator_token_id", *_ENDS)  # as GGUF spells it
            return {**config, "add_bos": begin, "add_eos": end, "eos_token_id": last}
        source = {f"source_{key}": special[key] for key in schema.SPECIAL}
        sides = dict.fromkeys(("source", "target"), library)
        added = {"add_source_bos": begin, "add_source_eos": end}
        return {**config, **source, **added, "tokenizer": sides}

    def chat(self) -> dict[str, Any]:
        """The template of chats, or several by name."""
        found = {
            key[len(_TEMPLATE) :].removeprefix(".") or "default": text
            for key, text in self.file.metadata.items()
            if key == _TEMPLATE or key.startswith(f"{_TEMPLATE}.")
        }
        if not found:
            return {}
        return {"chat_template": found["default"] if found.keys() == {"default"} else found}

    def check(self, vocab_size: int) -> None:
        """Raise `FormatError` for too many tokens, or too few, and for endless ones."""
        where, count = f"{self.file.path}: {_KEY}tokens has", len(self.tokens)
        if self.model is not None and count != vocab_size:
            raise FormatError(f"{where} {count}, expected {vocab_size}, the rows of the embedding")
        longest = max(map(len, self.tokens), default=0)
        if longest > _LONGEST or sum(map(len, self.tokens)) > VOCABULARY_LIMIT:
            raise FormatError(
                f"{where} one of {longest} characters, expected at most {_LONGEST}, and at most "
                f"{VOCABULARY_LIMIT} in all"
            )

    def added(self, special: Mapping[str, Any]) -> tuple[bool, bool]:
        """Whether a begin and an end token are put around a text."""
        begins, ends = {"bert": (True, True), "t5": (False, True)}.get(
            str(self.model), (self.pre.add_bos, False)
        )
        begins = self.get("add_bos_token", begins, bool)
        ends = self.get("add_eos_token", self.get("add_sep_token", ends, bool), bool)
        return begins and special["bos_token_id"] is not None, ends

    def content(self) -> bytes | None:
        """What a tokenizer.json would hold; None without a tokenizer."""
        if self.model is None:
            return None
        makers: dict[str, Callable[[], Json]] = {
            "gpt2": self.byte_level,
            "llama": partial(self.sentencepiece, "bpe"),
            "bert": self.word_piece,
            "t5": partial(self.sentencepiece, "unigram"),
        }
        if self.model not in makers:
            expected = ", ".join(makers)
            raise Unsupported(
                f"{self.file.path}: {_KEY}model is {self.model!r:.80}, expected one of {expected}"
            )
        return json.dumps(makers[self.model](), ensure_ascii=False).encode()

    # ---- kinds of tokenizers ------------------------------------------------------------

    def byte_level(self) -> Json:
        """GPT-2's, with the words of the pre-tokenizer that the file names."""
        merges = token_list(
            self.file.metadata.get(f"{_KEY}merges"), f"{self.file.path}: {_KEY}merges"
        )
        vocab = {token: i for i, token in enumerate(self.tokens)}
        pairs = [(first, second) for first, second in (merge.split(" ") for merge in merges)]
        content = tokenizer_json.byte_level(vocab, pairs, split=self.pre.split)
        content["normalizer"] = {"type": "NFC"} if self.pre.normalised else None
        content["model"]["ignore_merges"] = self.pre.whole_words
        if self.pre.digits:
            digits = {"type": "Digits", "individual_digits": True}
            parts = [digits, content["pre_tokenizer"]]
            content["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": parts}
        content["added_tokens"] = [
            tokenizer_json.added_token(i, self.tokens[i], special=kind == CONTROL)
            for i, kind in enumerate(self.types)
            if kind in (CONTROL, USER_DEFINED)
        ]
        return content

    def sentencepiece(self, kind: str) -> Json:
        """Pieces and their scores; user-defined ones are stored with spaces as such."""
        scores = self.numbers("scores", 0.0)
        if self.file.metadata["general.architecture"] in _RANKED:
            scores = [-float(i) for i in range(len(scores))]
        pieces = [
            Piece(token.replace(" ", SPACE), score, type_)
            for token, score, type_ in zip(self.tokens, scores, self.types, strict=True)
        ]
        if not any(piece.type == UNKNOWN for piece in pieces):
            raise FormatError(f"{self.file.path}: {_KEY}token_type has no unknown token")
        charsmap = self.get("precompiled_charsmap", np.empty(0, np.uint8), np.ndarray)
        model = SentencePieceModel(
            kind=kind,
            pieces=pieces,
            byte_fallback=BYTE in self.types,
            charsmap=charsmap.tobytes(),
            add_dummy_prefix=self.get("add_space_prefix", True, bool),
            remove_extra_whitespaces=self.get("remove_extra_whitespaces", False, bool),
        )
        return tokenizer_json.sentencepiece(model, pieces)

    def word_piece(self) -> Json:
        """BERT's; a file marks the pieces that begin a word, not those that continue one."""
        whole = [token.startswith(SPACE) for token in self.tokens]
        vocab = {
            token[1:] if starts else token if self.is_control(i) else f"##{token}": i
            for i, (token, starts) in enumerate(zip(self.tokens, whole, strict=True))
        }
        unknown = self.id("unknown_token_id")
        if unknown is None:
            raise FormatError(f"{self.file.path}: {_KEY}unknown_token_id is missing")
        words = [token for token, starts in zip(self.tokens, whole, strict=True) if starts]
        content = tokenizer_json.word_piece(
            vocab,
            unk_token=self.tokens[unknown],
            lowercase=all(word == word.lower() for word in words),  # which no file says
            strip_accents=None,
            handle_chinese_chars=True,
        )
        content["added_tokens"] = [
            tokenizer_json.added_token(i, token, special=True)
            for i, token in enumerate(self.tokens)
            if self.types[i] == CONTROL
        ]
        return content

    def is_control(self, i: int) -> bool:
        """Whether a token stands for no text; some files only say so by brackets."""
        token = self.tokens[i]
        return self.types[i] == CONTROL or (token.startswith("[") and token.endswith("]"))

    # ---- metadata -----------------------------------------------------------------------

    def pre_tokenizer(self) -> PreTokenizer:
        """What the file names; `Unsupported` for one that is not known."""
        name = self.get("pre", "default", str)
        if self.model == "gpt2" and name not in PRE_TOKENIZERS:
            expected = ", ".join(PRE_TOKENIZERS)
            raise Unsupported(
                f"{self.file.path}: {_KEY}pre is {short(name)}, expected one of {expected}"
            )
        return PRE_TOKENIZERS[name] if self.model == "gpt2" else PreTokenizer(add_bos=True)

    def get(self, name: str, default: Any, kind: type) -> Any:
        """A value of this type, or the default."""
        value = self.file.metadata.get(_KEY + name, default)
        if value is not default and type(value) is not kind:
            raise FormatError(
                f"{self.file.path}: {_KEY}{name} is {short(value)}, expected {kind.__name__}"
            )
        return value

    def id(self, *names: str) -> int | None:
        """A special id; those beyond the tokens, such as -1, are how some files say none."""
        for name in names:
            value = self.get(name, None, int)
            if value is not None and 0 <= value < len(self.tokens):
                return int(value)
        return None

    def numbers(self, name: str, default: float) -> list[Any]:
        """One number for each token."""
        value = self.file.metadata.get(_KEY + name)
        if value is None:
            return [default] * len(self.tokens)
        if not isinstance(value, np.ndarray) or len(value) != len(self.tokens):
            raise FormatError(
                f"{self.file.path}: {_KEY}{name} is {short(value)}, expected as many numbers as "
                f"there are tokens, {len(self.tokens)}"
            )
        numbers: list[Any] = value.tolist()
        return numbers
