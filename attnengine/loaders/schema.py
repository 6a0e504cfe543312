"""Keys that the config of every architecture has: tokenizer, special ids, vocabularies.

`attnengine.models` checks the keys of an architecture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, InvalidArgument
from attnengine.loaders.checkpoint import Checkpoint, Tensor, TokenizerFile, vocabularies
from attnengine.loaders.files.damage import short

TOKENIZERS = ("characters", "words", "none", "tokenizers", "sentencepiece")
TOKENIZER_FILE = "tokenizer.json"  # of "tokenizers", for both sides
SENTENCEPIECE_FILES = {"source": "source.spm", "target": "target.spm"}
TOKENIZER_FILES = (TOKENIZER_FILE, *SENTENCEPIECE_FILES.values())
SPECIAL = ("bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id")
SOURCE_SPECIAL = tuple(f"source_{key}" for key in SPECIAL)

# Keys for text and special tokens, which engines read and models ignore.
TOKEN_KEYS = frozenset(
    {
        "tokenizer",
        "bos_token_id",
        "eos_token_id",
        "pad_token_id",
        "unk_token_id",
        "decoder_start_token_id",
        "add_bos",
        "add_eos",
        "max_sequence_length",
        "suppress_tokens",
        "begin_suppress_tokens",
        "forced_bos_token_id",
        "chat_template",
        "chat_tokens",
        "languages",
        "language_place",
        "source_language",
        "target_language",
        "pooling",
        "normalize",
        "prompts",
        "default_prompt_name",
        "similarity",
        "lowercase",
        "special_in_text",
        "prefix_space",
        "add_source_bos",
        "add_source_eos",
        "source_bos_token_id",
        "source_eos_token_id",
        "source_pad_token_id",
        "source_unk_token_id",
    }
)

SIMILARITIES = ("cosine", "dot", "euclidean", "manhattan")

_Failure = type[FormatError] | type[InvalidArgument]


def seq2seq_tokens(
    tokenizer: Mapping[str, str],
    *,
    start: int | None,
    source: Sequence[int | None],
    target: Sequence[int | None],
    add_source_bos: bool = False,
    add_source_eos: bool = False,
) -> dict[str, Any]:
    """What the config of an encoder-decoder says about text.

    start: the id that the decoder starts from. source, target: ids of the begin, end, padding and
    unknown token.
    """
    return {
        "tokenizer": dict(tokenizer),
        "decoder_start_token_id": start,
        "add_source_bos": add_source_bos,
        "add_source_eos": add_source_eos,
        **dict(zip(SOURCE_SPECIAL, source, strict=True)),
        **dict(zip(SPECIAL, target, strict=True)),
    }


def is_seq2seq(config: Mapping[str, Any]) -> bool:
    """Whether a config describes a source and a target: its tokenizer is an object."""
    return isinstance(config.get("tokenizer"), Mapping)


def tokenizer_files(config: Mapping[str, Any]) -> set[str]:
    """The files that the tokenizers of a config need besides vocabularies."""
    kinds = config["tokenizer"] if is_seq2seq(config) else {"vocabulary": config["tokenizer"]}
    files = {SENTENCEPIECE_FILES[side] for side in kinds if kinds[side] == "sentencepiece"}
    return files | ({TOKENIZER_FILE} if "tokenizers" in kinds.values() else set())


def check(
    config: Mapping[str, Any],
    vocabularies: Mapping[str, Sequence[str]],
    where: str,
    failure: _Failure = FormatError,
) -> None:
    """Raise `failure`, naming key, value and expectation, unless all of it fits together."""
    _Check(config, where, failure).all(vocabularies)


def checked(
    path: Path,
    config: dict[str, Any],
    tensors: Mapping[str, Tensor],
    tokens: Mapping[str, Sequence[str]],
    files: Mapping[str, TokenizerFile] | None = None,
) -> Checkpoint:
    """Join what a reader found; `FormatError` unless config and vocabularies fit together."""
    check(config, tokens, str(path))
    return Checkpoint(config, tensors, vocabularies(tokens), path, files or {})


class _Check:
    def __init__(self, config: Mapping[str, Any], where: str, failure: _Failure) -> None:
        self.config = config
        self.where = where
        self.failure = failure

    def all(self, vocabularies: Mapping[str, Sequence[str]]) -> None:
        architecture = self.get("architecture")
        self.expect(isinstance(architecture, str) and architecture != "", "architecture", "a name")
        prefix = self.config.get("prefix_space", False)
        self.expect(isinstance(prefix, bool), "prefix_space", "true or false")
        if is_seq2seq(self.config):
            self.seq2seq(vocabularies)
            return
        self.kind(self.get("tokenizer"), "tokenizer")
        self.expect(
            self.config["tokenizer"] != "sentencepiece", "tokenizer", "another: it has no source"
        )
        size = self.size("vocab_size")
        self.special(SPECIAL, size)
        for end in ("bos", "eos"):
            if f"add_{end}" in self.config:
                self.added(f"add_{end}", f"{end}_token_id")
        if self.config.get("max_sequence_length") is not None:
            self.size("max_sequence_length")
        self.suppressed(size)
        self.chat()
        self.prompts()
        self.vocabulary_names(vocabularies, {"vocabulary"})
        self.vocabulary(vocabularies, "vocabulary", self.config["tokenizer"], size)

    def seq2seq(self, vocabularies: Mapping[str, Sequence[str]]) -> None:
        tokenizer = self.get("tokenizer")
        self.expect(set(tokenizer) == {"source", "target"}, "tokenizer", "keys source and target")
        self.vocabulary_names(vocabularies, {"source", "target"})
        for side, special in (("source", SOURCE_SPECIAL), ("target", SPECIAL)):
            self.kind(tokenizer[side], f"tokenizer.{side}")
            size = self.size(f"{side}_vocab_size")
            self.special(special, size)
            self.vocabulary(vocabularies, side, tokenizer[side], size)
        self.id("decoder_start_token_id", self.config["target_vocab_size"])
        for end in ("bos", "eos"):
            self.added(f"add_source_{end}", f"source_{end}_token_id")
        found = self.config.get("special_in_text", [])
        fits = isinstance(found, list) and all(isinstance(token, str) and token for token in found)
        self.expect(fits, "special_in_text", "a list of tokens")
        size = self.config["target_vocab_size"]
        self.suppressed(size)
        if "forced_bos_token_id" in self.config:
            self.id("forced_bos_token_id", size)
        if "languages" in self.config:
            self.languages(min(size, self.config["source_vocab_size"]))

    def get(self, key: str) -> Any:
        if key not in self.config:
            raise self.failure(f"{self.where}: {key} is missing")
        return self.config[key]

    def expect(self, fits: bool, key: str, expected: str) -> None:
        if not fits:
            value = short(self.config.get(key, key))
            raise self.failure(f"{self.where}: {key} is {value}, expected {expected}")

    def kind(self, value: object, key: str) -> None:
        if value not in TOKENIZERS:
            expected = ", ".join(TOKENIZERS)
            raise self.failure(f"{self.where}: {key} is {short(value)}, expected one of {expected}")

    def size(self, key: str) -> int:
        value = self.get(key)
        self.expect(_is_int(value) and value >= 1, key, "an integer of at least 1")
        return int(value)

    def special(self, keys: Sequence[str], vocab_size: int) -> None:
        for key in keys:
            value = self.get(key)
            if key.endswith("eos_token_id") and isinstance(value, list):
                fits = all(_is_id(item, vocab_size) for item in value)
                self.expect(
                    fits and 0 < len(value) == len(set(value)),
                    key,
                    f"different ids below {vocab_size}",
                )
            else:
                self.id(key, vocab_size)

    def id(self, key: str, vocab_size: int) -> None:
        value = self.get(key)
        self.expect(
            value is None or _is_id(value, vocab_size), key, f"null or 0 to {vocab_size - 1}"
        )

    def added(self, switch: str, key: str) -> None:
        value = self.get(switch)
        self.expect(isinstance(value, bool), switch, "true or false")
        if value:
            self.expect(_is_int(self.config[key]), key, f"an id, because {switch} is true")

    def suppressed(self, vocab_size: int) -> None:
        for key in ("suppress_tokens", "begin_suppress_tokens"):
            value = self.config.get(key, [])
            fits = isinstance(value, list) and all(_is_id(item, vocab_size) for item in value)
            self.expect(
                fits and len(value) == len(set(value)),
                key,
                f"a list of different ids below {vocab_size}",
            )

    def chat(self) -> None:
        """A template or several by name, and texts of special tokens."""
        template, tokens = self.config.get("chat_template", ""), self.config.get("chat_tokens", {})
        fits = isinstance(template, str) or (_is_texts(template) and bool(template))
        self.expect(fits, "chat_template", "a text, or texts by name")
        self.expect(_is_texts(tokens), "chat_tokens", "texts by name")

    def prompts(self) -> None:
        """Texts by name that an encoder puts before texts, and how vectors are compared."""
        prompts, name = self.config.get("prompts", {}), self.config.get("default_prompt_name")
        self.expect(_is_texts(prompts), "prompts", "texts by name")
        known = name is None or (isinstance(name, str) and name in prompts)
        self.expect(known, "default_prompt_name", f"null or one of {', '.join(prompts) or 'none'}")
        how = self.config.get("similarity", "cosine")
        self.expect(how in SIMILARITIES, "similarity", f"one of {', '.join(SIMILARITIES)}")
        lowercase = self.config.get("lowercase", False)
        self.expect(isinstance(lowercase, bool), "lowercase", "true or false")

    def languages(self, vocab_size: int) -> None:
        value = self.config["languages"]
        fits = isinstance(value, Mapping) and all(_is_id(i, vocab_size) for i in value.values())
        self.expect(fits and len(value) > 0, "languages", f"ids below {vocab_size} by name")
        place = self.get("language_place")
        self.expect(place in ("before", "behind"), "language_place", "'before' or 'behind'")
        for key in ("source_language", "target_language"):
            default = self.get(key)
            known = default is None or (isinstance(default, str) and default in value)
            self.expect(known, key, "null or one of languages")

    def vocabulary_names(self, given: Mapping[str, Sequence[str]], known: set[str]) -> None:
        for name in given:
            if name not in known:
                expected = " and ".join(sorted(known))
                raise self.failure(f"{self.where}: vocabulary {name!r}, expected {expected}")

    def vocabulary(
        self, given: Mapping[str, Sequence[str]], name: str, tokenizer: str, size: int
    ) -> None:
        tokens = given.get(name)
        if tokens is None:
            if tokenizer not in ("none", "tokenizers"):
                raise self.failure(
                    f"{self.where}: the {name} vocabulary is missing, tokenizer is {tokenizer!r}"
                )
            return
        if tokenizer == "tokenizers":
            raise self.failure(
                f"{self.where}: the {name} vocabulary is given, but tokenizer is 'tokenizers'"
            )
        if len(tokens) != size:
            raise self.failure(
                f"{self.where}: the {name} vocabulary has {len(tokens)} tokens, expected {size}"
            )
        for i, token in enumerate(tokens):
            if not isinstance(token, str) or not _is_text(token):
                raise self.failure(
                    f"{self.where}: token {i} of the {name} vocabulary is {short(token)}, "
                    "expected text that UTF-8 can hold"
                )


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_id(value: object, vocab_size: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < vocab_size


def _is_texts(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(text, str) for text in value.values())


def _is_text(token: str) -> bool:
    try:
        token.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True
