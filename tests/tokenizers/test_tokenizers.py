from __future__ import annotations

import pytest

from attnengine.errors import FormatError, InvalidArgument
from attnengine.loaders.checkpoint import Vocabulary
from attnengine.tokenizers import VocabularyTokenizer

TOKENS = ("<unk>", "a", "é", "a b", "\U0001f600", " ", "b")


def tokenizer(kind: str, unk: int | None = None) -> VocabularyTokenizer:
    return VocabularyTokenizer("source", kind, Vocabulary(TOKENS), len(TOKENS), unk)


def test_characters_are_code_points() -> None:
    characters = tokenizer("characters")
    assert characters.encode("aé\U0001f600 b") == [1, 2, 4, 5, 6]
    assert characters.decode([1, 2, 4, 5, 6]) == "aé\U0001f600 b"
    assert characters.encode("") == []


@pytest.mark.parametrize("kind", ["words", "none"])
def test_words_are_split_and_joined_at_spaces(kind: str) -> None:
    words = tokenizer(kind)
    assert words.encode(" a  b ") == [1, 6]
    assert words.decode([1, 6]) == "a b"
    with pytest.raises(InvalidArgument, match=r"'a\\tb' at position 0"):
        words.encode("a\tb")


def test_unknown_tokens() -> None:
    assert tokenizer("characters", unk=0).encode("axb") == [1, 0, 6]
    expected = "token 'x' at position 1 is not in the source vocabulary, and the model has no unk"
    with pytest.raises(InvalidArgument, match=expected):
        tokenizer("characters").encode("axb")


def test_the_last_duplicate_wins() -> None:
    twice = VocabularyTokenizer("", "words", Vocabulary(("a", "b", "a")), 3)
    assert twice.encode("a b") == [2, 1]


def test_half_of_a_surrogate_pair() -> None:
    with pytest.raises(InvalidArgument, match=r"'\\ud83d' at position 1 is half of a surrogate"):
        tokenizer("characters", unk=0).encode("a\ud83d")


def test_without_vocabulary_text_is_ids() -> None:
    ids = VocabularyTokenizer("target", "none", None, 7)
    assert ids.encode("5  0 6") == [5, 0, 6]
    assert ids.decode([5, 0, 6]) == "5 0 6"
    for text in ("5 x", "5 -1", "5 ²", "5 " + "9" * 5000):
        with pytest.raises(
            InvalidArgument, match="at position 1, expected an id in decimal digits"
        ):
            ids.encode(text)
    with pytest.raises(InvalidArgument, match="id 7 at position 1, expected 0 to 6"):
        ids.encode("5 7")


def test_what_does_not_fit_together() -> None:
    with pytest.raises(FormatError, match="tokenizer is 'bpe', expected one of characters, words"):
        tokenizer("bpe")
    with pytest.raises(FormatError, match="tokenizer is 'words', but the vocabulary is missing"):
        VocabularyTokenizer("", "words", None, 7)
    with pytest.raises(FormatError, match="the target vocabulary has 1 tokens, expected 2"):
        VocabularyTokenizer("target", "words", Vocabulary(("a",)), 2)
