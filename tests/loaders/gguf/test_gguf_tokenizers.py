from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers

from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.gguf import container
from attnengine.loaders.gguf.tokenizer import content
from attnengine.loaders.gguf.tokens import Tokens
from attnengine.tokenizers import Tokenizer, open_tokenizer
from tests.loaders.gguf.gguf_files import (
    BYTE,
    CONTROL,
    NORMAL,
    UNKNOWN,
    USER_DEFINED,
    VOCABULARY,
    sentencepiece_keys,
    vocabulary,
    write_llama_gguf,
)


def tokenizer(folder: Path, **changes: Any) -> Tokenizer:
    keys = {f"tokenizer.ggml.{key}": value for key, value in changes.items()}
    return open_tokenizer(loaders.load(write_llama_gguf(folder, **keys)))


# ---- byte-level -------------------------------------------------------------------------

TEXT = "I'll PAY 12345 $\n\n  now"
WORDS = {
    "gpt-2": ["I", "'ll", " PAY", " 12345", " $", "\n\n ", " now"],
    "smollm": ["I", "'ll", " PAY", " ", *"12345", " $", "\n\n ", " now"],
    "llama-bpe": ["I", "'ll", " PAY", " ", "123", "45", " $\n\n", " ", " now"],
    "qwen2": ["I", "'ll", " PAY", " ", *"12345", " $\n\n", " ", " now"],
    "dbrx": ["I", "'ll", " PAY", " ", "123", "45", " $\n\n", " ", " now"],
    "tekken": ["I", "'ll", " PAY", " ", *"12345", " $\n\n", " ", " now"],
    "gpt-4o": ["I'll", " PAY", " ", "123", "45", " $\n\n", " ", " now"],
}


@pytest.mark.parametrize("pre", WORDS)
def test_words_of_each_pre_tokenizer(tmp_path: Path, pre: str) -> None:
    path = write_llama_gguf(tmp_path, **{"tokenizer.ggml.pre": pre})
    made = loaders.load(path).tokenizer_files["tokenizer.json"]
    assert isinstance(made, bytes)
    splitter = tokenizers.Tokenizer.from_buffer(made).pre_tokenizer
    words = [word for word, _ in splitter.pre_tokenize_str(TEXT)]
    assert [word.replace("Ġ", " ").replace("Ċ", "\n") for word in words] == WORDS[pre]


def test_an_unknown_pre_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match=r"tokenizer.ggml.pre is 'viking', expected one of def"):
        tokenizer(tmp_path, pre="viking")
    with pytest.raises(Unsupported, match=r"tokenizer.ggml.pre is None, expected one of def"):
        tokenizer(tmp_path, pre=...)


def test_bytes_and_merges(tmp_path: Path) -> None:
    tokens = tokenizer(tmp_path)
    assert tokens.tokens(tokens.encode("ab a ab é")) == ["a", "b", "Ġa", "Ġab", "Ġ", "Ã©"]
    text = "x\tü€ \U0001f600 12"
    assert tokens.decode(tokens.encode(text)) == text


def test_words_that_are_tokens(tmp_path: Path) -> None:
    """Llama 3 takes a word that is a token unsplit, even if no merge produces it."""
    changes = vocabulary([*VOCABULARY[:-1], "abc"], {})
    merged = tokenizer(tmp_path, **changes, merges=["Ġ a"], pre="gpt-2")
    whole = tokenizer(tmp_path, **changes, merges=["Ġ a"], pre="llama-bpe")
    assert merged.tokens(merged.encode("abc")) == ["a", "b", "c"]
    assert whole.tokens(whole.encode("abc")) == ["abc"]


def test_accents_are_composed_for_qwen2_only(tmp_path: Path) -> None:
    for pre, length in (("qwen2", 1), ("gpt-2", 3)):
        assert len(tokenizer(tmp_path, pre=pre).encode("e\u0301")) == length


def test_added_tokens(tmp_path: Path) -> None:
    """Control tokens have no text, user-defined ones do; both are found before any merge."""
    changes = vocabulary([*VOCABULARY[:-1], "<a b>"], {"<|end|>": CONTROL, "<a b>": USER_DEFINED})
    tokens = tokenizer(tmp_path, **changes, merges=[])
    ids = tokens.encode("a<a b>b<|end|>")
    assert tokens.tokens(ids) == ["a", "<a b>", "b", "<|end|>"]
    assert tokens.decode(ids) == "a<a b>b"


# ---- sentencepiece ----------------------------------------------------------------------

SPECIAL = {"bos_token_id": 1, "eos_token_id": 2, "unknown_token_id": 0}


def pieces(folder: Path, more: dict[str, float], **changes: Any) -> Tokenizer:
    types = changes.pop("types", {})
    return tokenizer(folder, **{**sentencepiece_keys(more, types), "merges": ..., **changes})


def test_merges_follow_the_scores(tmp_path: Path) -> None:
    letters = {"a": -10.0, "b": -11.0, "c": -12.0}
    first = pieces(tmp_path, {**letters, "ab": -1.0, "bc": -2.0})
    assert first.tokens(first.encode("abc")) == ["▁", "ab", "c"]
    second = pieces(tmp_path, {**letters, "ab": -2.0, "bc": -1.0})
    assert second.tokens(second.encode("abc")) == ["▁", "a", "bc"]


def test_bytes_of_what_has_no_piece(tmp_path: Path) -> None:
    tokens = pieces(tmp_path, {"a": -1.0, "▁a": -2.0})
    ids = tokens.encode("a\n a")
    assert tokens.tokens(ids) == ["▁a", "<0x0A>", "▁a"]
    assert tokens.decode(ids) == "a\n a"


def test_the_space_before_a_text(tmp_path: Path) -> None:
    for prefix, expected in ((True, ["▁", "a"]), (False, ["a"])):
        tokens = pieces(tmp_path, {"a": -1.0}, add_space_prefix=prefix)
        assert tokens.tokens(tokens.encode("a")) == expected
        assert tokens.decode(tokens.encode("a")) == "a"


def test_spaces_of_user_defined_pieces(tmp_path: Path) -> None:
    """Files store a user-defined piece of two spaces, and merges build it from single spaces."""
    tokens = pieces(tmp_path, {"a": -1.0, "  ": 0.0}, types={"  ": USER_DEFINED})
    assert tokens.tokens(tokens.encode("a  a")) == ["▁", "a", "▁▁", "a"]


def test_added_pieces(tmp_path: Path) -> None:
    """User-defined pieces are found before a space is prepended; merges never build them."""
    user = {"<x>": USER_DEFINED}
    tokens = pieces(tmp_path, {"a": -1.0, "<x>": 0.0, "<": -5.0, "x>": -5.0}, types=user)
    assert tokens.tokens(tokens.encode("<x>a<x>")) == ["<x>", "▁", "a", "<x>"]
    assert tokens.decode(tokens.encode("<x>a")) == "<x> a"


def library_of(metadata: dict[str, Any], count: int) -> Any:
    file = container.Container(Path("model.gguf"), metadata, {})
    made = content(Tokens(file, count))
    assert made is not None
    return tokenizers.Tokenizer.from_buffer(made)


def test_spaces_behind_added_tokens_of_phi3() -> None:
    keys = sentencepiece_keys({"a": -1.0, "<|user|>": 0.0}, {"<|user|>": CONTROL})
    metadata = {f"tokenizer.ggml.{key}": value for key, value in keys.items()}
    for architecture, expected in (("phi3", ["<|user|>", "▁", "a"]), ("llama", None)):
        library = library_of(metadata | {"general.architecture": architecture}, len(VOCABULARY))
        found = [library.id_to_token(i) for i in library.encode("<|user|>\na").ids]
        assert found == (expected or ["<|user|>", "▁", "<0x0A>", "a"])


def test_an_unknown_piece_is_needed(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="token_type has no unknown token"):
        pieces(tmp_path, {"a": -1.0}, types={"<unk>": NORMAL})


@pytest.mark.peers
def test_against_sentencepiece() -> None:
    """The ids equal sentencepiece's, for a trained model with its pieces and scores in GGUF."""
    import sentencepiece

    lines = [
        line
        for file in Path(__file__).parents[1].rglob("*.py")
        for line in file.read_text().split("\n")
    ]
    corpus = [line for line in lines if "s>" not in line]  # no <s>, </s>: ours finds them in texts
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus), model_writer=trained, model_type="bpe", vocab_size=600,
        byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
        character_coverage=0.99, minloglevel=2,
    )  # fmt: skip
    library = sentencepiece.SentencePieceProcessor(model_proto=trained.getvalue())
    count = library.get_piece_size()
    kinds = [
        UNKNOWN if library.is_unknown(i) else CONTROL if library.is_control(i)
        else BYTE if library.is_byte(i) else NORMAL
        for i in range(count)
    ]  # fmt: skip
    metadata = {
        "general.architecture": "llama",
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": [library.id_to_piece(i) for i in range(count)],
        "tokenizer.ggml.scores": np.array([library.get_score(i) for i in range(count)]),
        "tokenizer.ggml.token_type": np.array(kinds),
    }
    ours = library_of(metadata, count)
    for line in [*corpus[:400], "  two  spaces ", "héllo wörld €\t\U0001f600", "def  f(x):"]:
        assert ours.encode(line, add_special_tokens=False).ids == library.encode(line)


# ---- others -----------------------------------------------------------------------------


def test_word_pieces(tmp_path: Path) -> None:
    """GGUF marks the first piece of a word; WordPiece marks the continuing pieces."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[unused0]", "▁un", "able", "s", "▁able", "▁,", "!"]
    controls = dict.fromkeys(tokens[:3], CONTROL)
    found = tokenizer(
        tmp_path,
        model="bert",
        add_eos_token=False,
        **vocabulary(tokens, controls),
        **SPECIAL | {"unknown_token_id": 1},
    )
    assert found.tokens(found.encode("Unables, ABLE x")) == [
        *("un", "##able", "##s", ",", "able", "[UNK]")
    ]
    cased = vocabulary([*tokens, "▁Un"], controls)
    found = tokenizer(
        tmp_path, model="bert", add_eos_token=False, **cased, **SPECIAL | {"unknown_token_id": 1}
    )
    assert found.tokens(found.encode("Unables unables ABLE"))[:4] == ["Un", "##able", "##s", "un"]
    assert found.tokens(found.encode("ABLE")) == ["[UNK]"]


def test_unigram(tmp_path: Path) -> None:
    """The tokenizer finds the split with the best score, not the first one by merges."""
    tokens = {"<pad>": 0.0, "</s>": 0.0, "<unk>": 0.0, "▁ab": -1.0, "▁a": -3.0, "bc": -1.5, "c": -4}
    types = {"<pad>": CONTROL, "</s>": CONTROL, "<unk>": UNKNOWN}
    listed = vocabulary(list(tokens), types)
    scores = np.full(len(listed["tokens"]), -10000, np.float32)
    scores[: len(tokens)] = list(tokens.values())
    found = tokenizer(
        tmp_path, model="t5", add_eos_token=False, merges=..., **listed, scores=scores
    )
    assert found.tokens(found.encode("abc ab")) == ["▁a", "bc", "▁ab"]
    assert found.decode(found.encode("abc ab")) == "abc ab"
