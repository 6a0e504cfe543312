"""Tokenizer files without a tokenizer.json give the ids of transformers and sentencepiece."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest

from attnengine.loaders.checkpoint import Checkpoint, vocabularies
from attnengine.loaders.huggingface.families.family import Kind
from attnengine.loaders.huggingface.languages import M2M100
from attnengine.loaders.huggingface.tokens import read_tokens
from attnengine.tokenizers import Tokenizer, open_tokenizer
from tests.loaders.huggingface.huggingface_files import write_json

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789 .,'é€日本"
CORPUS = [f"the cat's {a}{b} sat on {b}{a} mats, don't  stop {a}." for a in LETTERS for b in "aeé5"]
TEXTS = [
    *("the cat sat", " a", "cats  on   mats ", "", "1234 ab, ab.", "don't stop", "The CAT's Élan"),
    *(
        "a\n\té ü€ \U0001f600",
        "日本語 テスト",
        "ﬁn Ⅷ ½ \uff46 e\u0301",
        "\u200bzero a\u00a0b\u3000c",
    ),
    *("Ünïcödé naïve", "word" * 40, "x\ud7ffﬁy"),
]
SPECIAL_TEXTS = [
    *(
        "the cat</s> sat",
        "the <unk> cat",
        "</s>",
        "a<pad><s>b </s></s>",
        "<s >",
        "__en__ the __de__",
    ),
    *(">>the cat<< sat", ">> a << b", ">>fra<<", "a >>fra<< b", ">>fra<<the</s>>>deu<< cat"),
]
# transformers 5 does not normalise texts for mBART and keeps spaces that sentencepiece removes.
PLAIN = [text for text in TEXTS if text == " ".join(text.split()) and "ﬁ" not in text]


@pytest.fixture(scope="module")
def transformers() -> Any:
    pytest.importorskip("torch")
    return pytest.importorskip("transformers")


def trained(path: Path, kind: str, **options: Any) -> Any:
    """Train a sentencepiece model and return the library's processor of it."""
    spm = pytest.importorskip("sentencepiece")
    file = io.BytesIO()
    options = {"vocab_size": 400, "hard_vocab_limit": False, "minloglevel": 9, **options}
    options.setdefault("sentence_iterator", iter(CORPUS))
    spm.SentencePieceTrainer.train(model_writer=file, model_type=kind, **options)
    path.write_bytes(file.getvalue())
    return spm.SentencePieceProcessor(model_file=str(path))


def opened(
    folder: Path, model_type: str, *, kind: Kind = "decoder", size: int = 2000, **given: Any
) -> tuple[dict[str, Any], Tokenizer]:
    """The config, and the tokenizer of the source or of the only side."""
    given = {"model_type": model_type, "eos_token_id": 2, "decoder_start_token_id": 2, **given}
    keys = ("vocab_size", "source_vocab_size", "target_vocab_size")
    config = {**dict.fromkeys(keys, size), **given}
    tokens = read_tokens(folder, given, config, kind=kind)
    config.update(tokens.config)
    checkpoint = Checkpoint(config, {}, vocabularies(tokens.vocabularies), folder, tokens.files)
    return config, open_tokenizer(checkpoint, "source" if kind == "seq2seq" else "")


BPE = {
    "normalization_rule_name": "identity",
    "remove_extra_whitespaces": False,
    "byte_fallback": True,
    "split_digits": True,
    "allow_whitespace_only_pieces": True,
}


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
@pytest.mark.parametrize(
    "options", [{}, BPE, {**BPE, "add_dummy_prefix": False}, {"user_defined_symbols": ["<sep>"]}]
)
def test_sentencepiece_models(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    """The ids equal sentencepiece's for every combination of the model's switches."""
    theirs = trained(tmp_path / "tokenizer.model", kind, **options)
    config, ours = opened(tmp_path, "llama", size=len(theirs))
    assert (config["add_bos"], config["bos_token_id"]) == (True, 1)
    assert config["unk_token_id"] == 0
    for text in (*TEXTS, "a <sep> b"):
        ids = theirs.encode(text)
        assert ours.encode(text) == ids, text
        assert ours.tokens(ids) == theirs.encode(text, out_type=str) or 0 in ids
        if 0 not in ids:  # sentencepiece gives the unknown token a text
            assert ours.decode(ids) == theirs.decode(ids), text


def layout(model_type: str) -> dict[str, Any]:
    """Names of the class and the file in transformers, and training options of the model."""
    spiece = {
        "file": "spiece.model",
        "train": {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1},
    }
    fairseq: dict[str, Any] = {"file": "sentencepiece.bpe.model", "train": {}}
    return {
        "t5": {"class": "T5Tokenizer", **spiece},
        "pegasus": {"class": "PegasusTokenizer", **spiece},
        "xlm-roberta": {"class": "XLMRobertaTokenizer", **fairseq},
        "mbart": {"class": "MBartTokenizer", **fairseq},
        "mbart50": {"class": "MBart50Tokenizer", **fairseq},
    }[model_type]


@pytest.mark.parametrize("model_type", ["t5", "pegasus", "xlm-roberta", "mbart", "mbart50"])
def test_pieces_with_other_ids(tmp_path: Path, transformers: Any, model_type: str) -> None:
    how = layout(model_type)
    pieces = trained(tmp_path / how["file"], "unigram", **how["train"])
    write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": how["class"]})
    theirs = getattr(transformers, how["class"]).from_pretrained(tmp_path)
    config, ours = opened(
        tmp_path, model_type, kind="encoder" if model_type == "xlm-roberta" else "seq2seq"
    )
    for text in TEXTS:
        tokens = [pieces.id_to_piece(i) for i in pieces.encode(text)]
        assert ours.tokens(ours.encode(text)) == tokens, text
    for text in (*PLAIN, "<extra_id_0> cat", "cat</s>"):
        expected = theirs(text, add_special_tokens=False)["input_ids"]
        assert ours.encode(text) == expected, text
        assert ours.decode(expected) == theirs.decode(expected, skip_special_tokens=True), text
    added = theirs("cat")["input_ids"]
    ids = ours.encode("cat")
    if languages := config.get("languages"):
        assert languages == {code: theirs.convert_tokens_to_ids(code) for code in languages}
        assert len(languages) == (25 if model_type == "mbart" else 52)
        source = languages[config["source_language"]]
        around = [*ids, 2, source] if model_type == "mbart" else [source, *ids, 2]
    elif model_type == "xlm-roberta":
        assert (config["add_bos"], config["add_eos"]) == (True, True)
        around = [config["bos_token_id"], *ids, config["eos_token_id"]]
    else:
        around = [*ids, config["source_eos_token_id"]]
    assert added == around


def test_languages_of_nllb(tmp_path: Path) -> None:
    """NLLB has 256,000 pieces, fairseq's tokens and 202 languages; eng_Latn is 256047."""
    pieces = trained(tmp_path / "sentencepiece.bpe.model", "bpe")
    config, ours = opened(tmp_path, "m2m_100", kind="seq2seq", tokenizer_class="NllbTokenizer")
    first = len(pieces) + 1
    assert config["languages"]["eng_Latn"] - first == 256047 - 256001
    assert (min(config["languages"].values()), len(config["languages"])) == (first, 202)
    assert ours.tokens([first + 202]) == ["<mask>"]
    assert ours.decode([config["languages"]["deu_Latn"], *ours.encode("the cat")]) == "the cat"


PARTS = [
    *("한국어 안녕 하세요", "ガイド ギター パン デパート", "ｶﾞｲﾄﾞ ﾊﾟﾝ", "việt résumé naïve Ünïcödé"),
    *("Ἀθῆναι ᾧ", "हिन्दी क़लम", "\u05e9\u05c1\u05dc\u05d5\u05b9\u05dd"),
    *("\uff41\u0301 \uff45\u0302", "\ufb01 e\u0301\u0323 ㈱ ½\u0301"),
]


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_letters_in_parts(tmp_path: Path, form: Any) -> None:
    """The library sentencepiece itself; transformers 5 leaves long clusters in parts."""
    corpus = [*CORPUS, *(normalize("NFKC", text) for text in PARTS)] * 3
    options = {"sentence_iterator": iter(corpus), "character_coverage": 1.0}
    theirs = trained(tmp_path / "spiece.model", "unigram", **options)
    write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": "T5Tokenizer"})
    _, ours = opened(tmp_path, "t5", kind="seq2seq")
    for text in PARTS:
        text = normalize(form, text)
        assert ours.tokens(ours.encode(text)) == theirs.encode(text, out_type=str), ascii(text)


def test_llama_with_a_space_before_the_text_alone(tmp_path: Path) -> None:
    """The steps of version 4's LlamaTokenizer with legacy false; version 5 has others."""
    options = {"normalization_rule_name": "identity", "remove_extra_whitespaces": False}
    trained(tmp_path / "tokenizer.model", "bpe", byte_fallback=True, **options)
    write_json(
        tmp_path / "tokenizer_config.json", {"tokenizer_class": "LlamaTokenizer", "legacy": False}
    )
    _, ours = opened(tmp_path, "llama", bos_token_id=1)
    spm = pytest.importorskip("sentencepiece")
    pytest.importorskip("google.protobuf")
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString((tmp_path / "tokenizer.model").read_bytes())
    proto.normalizer_spec.add_dummy_prefix = False
    library = spm.SentencePieceProcessor(model_proto=proto.SerializeToString())

    def theirs(text: str) -> list[str]:
        found: list[str] = []
        parts = re.split("(<s>|</s>|<unk>)", "▁" + text.replace("▁", " ")) if text else []
        for i, part in enumerate(parts):
            start = ("<unk>" if part.startswith(("▁", " ")) else "") if i % 2 == 0 else ""
            pieces = library.encode(start + part, out_type=str) if i % 2 == 0 else [part]
            found += pieces[len(library.encode(start, out_type=str)) :]
        alone = len(found) > 1 and found[0] == "▁" and found[1] in ("<s>", "</s>", "<unk>")
        return found[1:] if alone else found

    for text in [*TEXTS, *SPECIAL_TEXTS, "<s>the</s><s> cat", "▁the ▁cat"]:
        assert ours.tokens(ours.encode(text)) == theirs(text), text


def test_marian(tmp_path: Path, transformers: Any) -> None:
    pieces = trained(tmp_path / "source.spm", "unigram")
    trained(tmp_path / "target.spm", "unigram")
    names = ["</s>", "<unk>", ">>fra<<", *(pieces.id_to_piece(i) for i in range(3, len(pieces)))]
    names.append("<pad>")
    write_json(tmp_path / "vocab.json", {name: i for i, name in enumerate(names)})
    theirs = transformers.MarianTokenizer.from_pretrained(tmp_path)
    theirs.punc_normalizer = lambda text: text  # of sacremoses, if it is installed
    ends = {"eos_token_id": 0, "pad_token_id": len(names) - 1}
    _, ours = opened(tmp_path, "marian", kind="seq2seq", size=len(names), **ends)
    for text in [*TEXTS, *SPECIAL_TEXTS]:
        assert [*ours.encode(text), 0] == theirs(text)["input_ids"], text


@pytest.mark.parametrize("named", [False, True])
def test_m2m_100(tmp_path: Path, transformers: Any, named: bool) -> None:
    pieces = trained(tmp_path / "sentencepiece.bpe.model", "bpe")
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    names = [*special, *(pieces.id_to_piece(i) for i in range(4, len(pieces) - 5))]  # five unknown
    write_json(tmp_path / "vocab.json", {name: i for i, name in enumerate(names)})
    settings: dict[str, Any] = {"bos_token": "<s>"}
    if named:  # as the published folders do
        settings["additional_special_tokens"] = [f"__{code}__" for code in M2M100]
    write_json(tmp_path / "tokenizer_config.json", settings)
    theirs = transformers.M2M100Tokenizer.from_pretrained(tmp_path, src_lang="de")
    ids = {"bos_token_id": 0, "pad_token_id": 1}
    config, ours = opened(tmp_path, "m2m_100", kind="seq2seq", size=len(names) + 108, **ids)
    assert config["languages"] == theirs.lang_code_to_id
    for text in [*TEXTS, *SPECIAL_TEXTS]:
        ids = ours.encode(text)
        assert [config["languages"]["de"], *ids, 2] == theirs(text)["input_ids"], text
        assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=True), text


# ---- byte-level and WordPiece -----------------------------------------------------------


def byte_level_files(folder: Path, special: list[str]) -> None:
    """Train a byte-level tokenizer and write vocab.json and merges.txt."""
    tokenizers = pytest.importorskip("tokenizers")
    library = tokenizers.ByteLevelBPETokenizer()
    library.train_from_iterator(CORPUS, vocab_size=400, special_tokens=special, show_progress=False)
    library.save_model(str(folder))


@pytest.mark.parametrize(
    ("model_type", "name", "settings"),
    [
        ("gpt2", "GPT2Tokenizer", {}),
        ("gpt2", "GPT2Tokenizer", {"add_prefix_space": True, "add_bos_token": True}),
        ("opt", "GPT2Tokenizer", {"bos_token": "</s>", "eos_token": "</s>", "unk_token": "</s>"}),
        ("roberta", "RobertaTokenizer", {}),
        ("qwen2", "Qwen2Tokenizer", {"added_tokens_decoder": {"352": {"content": "<|im_start|>"}}}),
    ],
)
def test_byte_level(
    tmp_path: Path, transformers: Any, model_type: str, name: str, settings: dict[str, Any]
) -> None:
    byte_level_files(tmp_path, ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>"])
    if model_type == "opt":
        settings = {**settings, "add_bos_token": True}
    for token in settings.get("added_tokens_decoder", {}).values():
        token |= dict.fromkeys(("lstrip", "rstrip", "single_word", "normalized"), False)
        token["special"] = True
    write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": name, **settings})
    theirs = getattr(transformers, name).from_pretrained(tmp_path)
    config, ours = opened(tmp_path, model_type, kind="encoder")
    for text in (*TEXTS, "a<|im_start|>b <|endoftext|>"):
        ids = theirs(text, add_special_tokens=False)["input_ids"]
        assert ours.encode(text) == ids, text
        assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=True), text
    begin = [config["bos_token_id"]] if config["add_bos"] else []
    end = [config["eos_token_id"]] if config["add_eos"] else []
    assert theirs("cat")["input_ids"] == [*begin, *ours.encode("cat"), *end]


@pytest.mark.parametrize("settings", [{}, {"do_lower_case": False}, {"strip_accents": False}])
def test_word_piece(tmp_path: Path, transformers: Any, settings: dict[str, Any]) -> None:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = ["the", "cat", "##s", "sat", "on", "mat", "don", "'", "t", "stop", "elan", "Élan", ","]
    tokens = [*special, *words, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    (tmp_path / "vocab.txt").write_text("".join(f"{t}\n" for t in tokens), encoding="utf-8")
    write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", **settings})
    theirs = transformers.BertTokenizer.from_pretrained(tmp_path)
    config, ours = opened(tmp_path, "bert", kind="encoder")
    for text in (*TEXTS, "the [MASK] sat"):
        ids = theirs(text, add_special_tokens=False)["input_ids"]
        assert ours.encode(text) == ids, text
        assert ours.decode(ids) == theirs.decode(
            ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
    keys = ("bos_token_id", "eos_token_id", "unk_token_id", "add_bos", "add_eos")
    assert [config[key] for key in keys] == [2, 3, 1, True, True]


def test_byt5_has_no_files(tmp_path: Path, transformers: Any) -> None:
    write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": "ByT5Tokenizer"})
    peer = transformers.ByT5Tokenizer()
    config, tokenizer = opened(tmp_path, "t5", kind="seq2seq", size=384, eos_token_id=1)
    special = ["a</s> b", "<pad>", "x<extra_id_0>y", "<extra_id_124>", "<unk>", "<0x41>"]
    for text in [*TEXTS, *special, "12 34", "\x00\x7f"]:
        ids = tokenizer.encode(text)
        assert [*ids, 1] == peer(text)["input_ids"], text
        assert tokenizer.decode(ids) == peer.decode(ids, skip_special_tokens=True), text
    assert (config["add_source_eos"], config["source_eos_token_id"]) == (True, 1)
