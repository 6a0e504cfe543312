"""The pre-tokenizers that GGUF's `tokenizer.ggml.pre` names: how they split a text."""

from __future__ import annotations

from dataclasses import dataclass

from attnengine.loaders.shared.tokenizer_json import QWEN2_SPLIT


@dataclass(frozen=True)
class PreTokenizer:
    """The steps before the merges of bytes.

    split: pattern of words, by default GPT-2's.
    digits: split off every digit first.
    normalised: normalise texts to NFC.
    whole_words: take a word that is a token without merges.
    add_bos: default of files for a begin token before a text.
    """

    split: str | None = None
    digits: bool = False
    normalised: bool = False
    whole_words: bool = False
    add_bos: bool = False


_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_SPACES = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_LLAMA3_SPLIT = (
    _WORDS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + _SPACES
)
# Words in one case, or with a capital first letter.
_LOWER = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
_UPPER = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
_TEKKEN_SPLIT = rf"{_LOWER}|{_UPPER}|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_SPACES}"
_GPT4O_SPLIT = (
    rf"{_LOWER}{_WORDS}?|{_UPPER}{_WORDS}?|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_SPACES}"
)

_GPT2 = PreTokenizer()
_DIGITS = PreTokenizer(digits=True)
_LLAMA3 = PreTokenizer(_LLAMA3_SPLIT, whole_words=True, add_bos=True)
_QWEN2 = PreTokenizer(QWEN2_SPLIT, normalised=True)
PRE_TOKENIZERS = {
    **dict.fromkeys(("default", "gpt-2", "phi-2", "mpt", "olmo", "roberta-bpe"), _GPT2),
    **dict.fromkeys(("smollm", "starcoder", "refact", "command-r", "codeshell"), _DIGITS),
    **dict.fromkeys(("llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral"), _LLAMA3),
    **dict.fromkeys(("dbrx", "smaug-bpe"), PreTokenizer(_LLAMA3_SPLIT)),
    "qwen2": _QWEN2,
    "deepseek-r1-qwen": PreTokenizer(QWEN2_SPLIT),
    "tekken": PreTokenizer(_TEKKEN_SPLIT, whole_words=True, add_bos=True),
    "gpt-4o": PreTokenizer(_GPT4O_SPLIT),
}
