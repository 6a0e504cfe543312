"""Tokenizers: one interface to plain vocabularies and to tokenizer libraries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attnengine.loaders.checkpoint import Checkpoint
from attnengine.loaders.schema import SENTENCEPIECE_FILES, SOURCE_SPECIAL, SPECIAL, TOKENIZER_FILE
from attnengine.tokenizers.base import Tokenizer
from attnengine.tokenizers.vocabulary import VocabularyTokenizer

__all__ = ["Tokenizer", "VocabularyTokenizer", "open_tokenizer"]


def open_tokenizer(checkpoint: Checkpoint, name: str = "") -> Tokenizer:
    """Return the tokenizer of the side ``name`` ("source" or "target"), or the only tokenizer.

    A tokenizer library is imported when the first model needs it.

    Raises
    ------
    FormatError
        The vocabulary or the tokenizer's file is missing, damaged or does not match the model.
    Unsupported
        The tokenizer's library is not installed.
    """
    config = checkpoint.config
    kind = config["tokenizer"][name] if name else config["tokenizer"]
    size = config[f"{name}_vocab_size" if name else "vocab_size"]
    unk = config["source_unk_token_id" if name == "source" else "unk_token_id"]
    if kind == "tokenizers":
        from attnengine.tokenizers.huggingface import HuggingFaceTokenizer

        file = checkpoint.tokenizer_files[TOKENIZER_FILE]
        prefix_space = config.get("prefix_space", False)
        return HuggingFaceTokenizer(name, file, size, unk, prefix_space=prefix_space)
    vocabulary = checkpoint.vocabularies.get(name or "vocabulary")
    if kind == "sentencepiece":
        from attnengine.tokenizers.sentencepiece import SentencePieceTokenizer

        pieces = VocabularyTokenizer(name, "words", vocabulary, size, unk)
        file = checkpoint.tokenizer_files[SENTENCEPIECE_FILES[name]]
        return SentencePieceTokenizer(
            pieces,
            file,
            _special_ids(config, name),
            whole=config.get("special_in_text", ()),
            languages="languages" not in config,
        )
    return VocabularyTokenizer(name, kind, vocabulary, size, unk)


def _special_ids(config: Mapping[str, Any], name: str) -> list[int]:
    ids = []
    for key in SOURCE_SPECIAL if name == "source" else SPECIAL:
        value = config[key]
        ids += value if isinstance(value, list) else [value]
    ids += config.get("languages", {}).values()
    return [i for i in ids if i is not None]
