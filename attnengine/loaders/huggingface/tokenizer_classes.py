"""Facts in the code of transformers' tokenizer classes, which a folder's files lack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from attnengine.loaders.huggingface import languages
from attnengine.loaders.shared.tokenizer_json import QWEN2_SPLIT

_SENTENCEPIECE = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
_FAIRSEQ = {
    **_SENTENCEPIECE,
    "cls_token": "<s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "mask_token": "<mask>",
}
_END_OF_TEXT = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")
_BERT = {f"{role.lower()}_token": f"[{role}]" for role in ("UNK", "SEP", "PAD", "CLS", "MASK")}


@dataclass(frozen=True)
class Languages:
    """The languages of a translation model; each language has a token.

    codes: languages in the order of their ids.
    default: source language, unless a file gives another.
    token: text of a language's token.
    behind: the source's token follows the end token, and the target's starts the decoder;
    otherwise the token precedes the text on both sides.
    """

    codes: tuple[str, ...]
    default: str
    token: str = "{}"
    behind: bool = False


@dataclass(frozen=True)
class TokenizerClass:
    """A tokenizer class, or several equal ones.

    special: default tokens by role.
    before, after: roles of the tokens that are added to a text.
    layout: ids of sentencepiece's pieces: the model's, after fairseq's four tokens, or Pegasus's;
    or bytes, for which no file is needed.
    split, add_prefix_space: settings of byte-level tokenizers.
    extra_ids: the number of T5's sentinels.
    """

    special: Mapping[str, str] = field(default_factory=lambda: _FAIRSEQ)
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    layout: str = "plain"
    split: str | None = None
    add_prefix_space: bool = False
    extra_ids: int = 0
    languages: Languages | None = None


_GPT2 = TokenizerClass(_END_OF_TEXT)
_ROBERTA = TokenizerClass(before=("cls_token",), after=("sep_token",))
_LLAMA = TokenizerClass(_SENTENCEPIECE, before=("bos_token",))
_END_AND_PAD = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
_T5 = TokenizerClass(_END_AND_PAD, after=("eos_token",), extra_ids=100)


def _multilingual(codes: Languages) -> TokenizerClass:
    return TokenizerClass(after=("eos_token",), layout="fairseq", languages=codes)


# name of the class without "Tokenizer" and "Fast", or else model_type -> class
CLASSES = {
    "bart": _ROBERTA,
    "bert": TokenizerClass(_BERT, before=("cls_token",), after=("sep_token",)),
    "blenderbot": TokenizerClass(after=("eos_token",), add_prefix_space=True),
    "byt5": TokenizerClass(_END_AND_PAD, after=("eos_token",), layout="bytes", extra_ids=125),
    "codegen": _GPT2,
    "gemma": TokenizerClass(
        {"bos_token": "<bos>", "eos_token": "<eos>", "unk_token": "<unk>", "pad_token": "<pad>"},
        before=("bos_token",),
    ),
    "gpt2": _GPT2,
    "gptneox": _GPT2,
    "llama": _LLAMA,
    "m2m100": _multilingual(Languages(languages.M2M100, "en", "__{}__")),
    "mbart": _multilingual(Languages(languages.MBART, "en_XX", behind=True)),
    "mbart50": _multilingual(Languages(languages.MBART50, "en_XX")),
    "nllb": _multilingual(Languages(languages.NLLB, "eng_Latn")),
    "opt": TokenizerClass(
        {**dict.fromkeys(("bos_token", "eos_token", "unk_token"), "</s>"), "pad_token": "<pad>"},
        before=("bos_token",),
    ),
    "pegasus": TokenizerClass(
        {**_END_AND_PAD, "mask_token": "<mask_2>"}, after=("eos_token",), layout="pegasus"
    ),
    "qwen2": TokenizerClass({**_END_OF_TEXT, "pad_token": "<|endoftext|>"}, split=QWEN2_SPLIT),
    "roberta": _ROBERTA,
    "t5": _T5,
    "xlmroberta": TokenizerClass(before=("bos_token",), after=("eos_token",), layout="fairseq"),
}
ALIASES = {
    "distilbert": "bert",
    "electra": "bert",
    "flan": "t5",
    "gptj": "gpt2",
    "gemma2": "gemma",
    "gemma3text": "gemma",
    "mistral": "llama",
    "mixtral": "llama",
    "mt5": "t5",
    "phi": "codegen",
    "phi3": "llama",
    "qwen3": "qwen2",
    "stablelm": "gptneox",
    "starcoder2": "gpt2",
    "umt5": "t5",
}
