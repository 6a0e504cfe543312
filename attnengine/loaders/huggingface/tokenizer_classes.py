"""What transformers' tokenizer classes add to what the files of a folder say."""

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
    """The languages of a translation model; each has a token.

    codes: in the order of their ids. default: of the source, unless a file says otherwise.
    token: its text. behind: whether the source's stands behind the end token, and the target's
    starts the decoder; else it stands before the text on both sides.
    """

    codes: tuple[str, ...]
    default: str
    token: str = "{}"
    behind: bool = False


@dataclass(frozen=True)
class TokenizerClass:
    """One class, or several that are alike.

    special: tokens by role, unless a file names others.
    before, after: roles of the tokens that are put around a text.
    layout: ids of sentencepiece's pieces: its own, after fairseq's four tokens, or Pegasus's.
    split, add_prefix_space: of byte-level tokenizers.
    extra_ids: how many sentinels of T5 there are.
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


# By the name of the class without "Tokenizer" and "Fast", or else by model_type.
CLASSES = {
    "bart": _ROBERTA,
    "bert": TokenizerClass(_BERT, before=("cls_token",), after=("sep_token",)),
    "blenderbot": TokenizerClass(after=("eos_token",), add_prefix_space=True),
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
