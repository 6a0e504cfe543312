"""Tokens of a GGUF file: special ids, tokens added to a text, chat templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema
from attnengine.loaders.files.damage import short
from attnengine.loaders.files.sentencepiece_model import NORMAL
from attnengine.loaders.files.text import VOCABULARY_LIMIT, token_list
from attnengine.loaders.gguf.container import Container
from attnengine.loaders.gguf.families.tokenizers import PRE_TOKENIZERS, PreTokenizer
from attnengine.loaders.gguf.metadata import ARCHITECTURE
from attnengine.loaders.huggingface.families.family import Kind

KEY = "tokenizer.ggml."
_LONGEST = 512  # characters of a token; every way to split it in two may be a merge
_TEMPLATE = "tokenizer.chat_template"
# key of the config -> names in files; the first that exists counts
_SPECIAL = {
    "bos_token_id": ("bos_token_id", "cls_token_id"),
    "pad_token_id": ("padding_token_id",),
    "unk_token_id": ("unknown_token_id",),
}
_ENDS = ("eos_token_id", "eot_token_id", "eom_token_id")  # end of a text, a turn, a message


class Tokens:
    """The tokens of a file, and the other metadata below tokenizer.ggml."""

    def __init__(self, file: Container, vocab_size: int) -> None:
        self.file = file
        self.architecture = file.metadata[ARCHITECTURE]
        model = self.get("model", None, str)
        self.model = None if model in ("none", "no_vocab") else model
        tokens = file.metadata.get(f"{KEY}tokens", [])
        self.tokens = token_list(tokens, f"{file.path}: {KEY}tokens")
        self.check(vocab_size)
        self.types = self.numbers("token_type", NORMAL)
        self.pre = self.pre_tokenizer()

    def config(self, kind: Kind) -> dict[str, Any]:
        """Return special ids and tokens added to a text, for a decoder, an encoder or both."""
        special: dict[str, Any] = {key: self.id(*names) for key, names in _SPECIAL.items()}
        ends = [i for i in dict.fromkeys(map(self.id, _ENDS)) if i is not None]
        special["eos_token_id"] = ends if len(ends) > 1 else next(iter(ends), None)
        if self.model == "gpt2":  # no unknown token: every byte has a token
            special["unk_token_id"] = None
        special.update(self.chat())
        library = "none" if self.model is None else "tokenizers"
        config = {**special, "tokenizer": library, "suppress_tokens": []}
        begin, end = self.added(special)
        if kind == "decoder":
            if end:
                raise Unsupported(f"{self.file.path}: {KEY}add_eos_token is true, expected false")
            return {**config, "add_bos": begin}
        if kind == "encoder":
            last = self.id("seperator_token_id", *_ENDS)  # GGUF's spelling
            return {**config, "add_bos": begin, "add_eos": end, "eos_token_id": last}
        source = {f"source_{key}": special[key] for key in schema.SPECIAL}
        sides = dict.fromkeys(("source", "target"), library)
        added = {"add_source_bos": begin, "add_source_eos": end}
        return {**config, **source, **added, "tokenizer": sides}

    def chat(self) -> dict[str, Any]:
        """Return the chat template, or several by name."""
        found = {
            key[len(_TEMPLATE) :].removeprefix(".") or "default": text
            for key, text in self.file.metadata.items()
            if key == _TEMPLATE or key.startswith(f"{_TEMPLATE}.")
        }
        if not found:
            return {}
        return {"chat_template": found["default"] if found.keys() == {"default"} else found}

    def check(self, vocab_size: int) -> None:
        """Raise `FormatError` for a wrong number of tokens and for too long ones."""
        where, count = f"{self.file.path}: {KEY}tokens has", len(self.tokens)
        if self.model is not None and count != vocab_size:
            raise FormatError(f"{where} {count}, expected {vocab_size}, the rows of the embedding")
        longest = max(map(len, self.tokens), default=0)
        if longest > _LONGEST or sum(map(len, self.tokens)) > VOCABULARY_LIMIT:
            raise FormatError(
                f"{where} one of {longest} characters, expected at most {_LONGEST}, and at most "
                f"{VOCABULARY_LIMIT} in all"
            )

    def added(self, special: Mapping[str, Any]) -> tuple[bool, bool]:
        """Whether a begin and an end token are added to a text."""
        begins, ends = {"bert": (True, True), "t5": (False, True)}.get(
            str(self.model), (self.pre.add_bos, False)
        )
        begins = self.get("add_bos_token", begins, bool)
        ends = self.get("add_eos_token", self.get("add_sep_token", ends, bool), bool)
        return begins and special["bos_token_id"] is not None, ends

    def pre_tokenizer(self) -> PreTokenizer:
        """Return the pre-tokenizer that the file names; raise `Unsupported` for an unknown one.

        Early files name none, although all models but GPT-2 have their own.
        """
        name = self.get("pre", "gpt-2" if self.architecture == "gpt2" else None, str)
        if self.model == "gpt2" and name not in PRE_TOKENIZERS:
            expected = ", ".join(PRE_TOKENIZERS)
            raise Unsupported(
                f"{self.file.path}: {KEY}pre is {short(name)}, expected one of {expected}"
            )
        return PRE_TOKENIZERS[name] if self.model == "gpt2" else PreTokenizer(add_bos=True)

    def get(self, name: str, default: Any, kind: type) -> Any:
        """Return a value of this type, or the default."""
        value = self.file.metadata.get(KEY + name, default)
        if value is not default and type(value) is not kind:
            raise FormatError(
                f"{self.file.path}: {KEY}{name} is {short(value)}, expected {kind.__name__}"
            )
        return value

    def id(self, *names: str) -> int | None:
        """Return a special id; some files use an id beyond the tokens, such as -1, for none."""
        for name in names:
            value = self.get(name, None, int)
            if value is not None and 0 <= value < len(self.tokens):
                return int(value)
        return None

    def numbers(self, name: str, default: float) -> list[Any]:
        """Return one number per token."""
        value = self.file.metadata.get(KEY + name)
        if value is None:
            return [default] * len(self.tokens)
        if not isinstance(value, np.ndarray) or len(value) != len(self.tokens):
            raise FormatError(
                f"{self.file.path}: {KEY}{name} is {short(value)}, expected one number for "
                f"each of the {len(self.tokens)} tokens"
            )
        numbers: list[Any] = value.tolist()
        return numbers
