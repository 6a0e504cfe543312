"""The CMU Pronouncing Dictionary: reading, splitting by word, vocabularies, batches."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

Part = Literal["train", "valid", "test"]
Dictionary = dict[str, list[tuple[str, ...]]]  # word -> its pronunciations, the first one first

SPLIT_SEED = 1
VALID_SHARE, TEST_SHARE = 0.02, 0.03
PAD, UNK, SOURCE_EOS = 0, 1, 2  # ids of the source vocabulary
BOS, EOS = 1, 2  # ids of the target vocabulary; PAD is 0 in both

_ENTRY = re.compile(r"(?P<word>[a-z'.-]+)(?:\(\d+\))?")  # "word(2)" is a second pronunciation


def read_dictionary(path: Path) -> Dictionary:
    """The pronunciations of each word that has only letters, apostrophe, hyphen and period."""
    words: Dictionary = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.partition("#")[0].split()
        match = _ENTRY.fullmatch(fields[0].lower()) if len(fields) > 1 else None
        if match is None:
            continue
        pronunciations = words.setdefault(match["word"], [])
        if tuple(fields[1:]) not in pronunciations:
            pronunciations.append(tuple(fields[1:]))
    return words


def part_of(word: str) -> Part:
    """The part of a word, by a hash of its spelling; it holds all pronunciations of the word."""
    digest = hashlib.sha256(f"{SPLIT_SEED}:{word}".encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    if share < VALID_SHARE:
        return "valid"
    return "test" if share < VALID_SHARE + TEST_SHARE else "train"


def select(words: Dictionary, part: Part) -> Dictionary:
    """The words of one part."""
    return {word: forms for word, forms in words.items() if part_of(word) == part}


@dataclass(frozen=True)
class Vocabularies:
    """Letters and ARPAbet symbols in the order of their ids."""

    source: tuple[str, ...]
    target: tuple[str, ...]

    @classmethod
    def of(cls, words: Dictionary) -> Vocabularies:
        """Special tokens, then all symbols of the dictionary in alphabetical order."""
        letters = sorted({letter for word in words for letter in word})
        phones = sorted({phone for forms in words.values() for form in forms for phone in form})
        return cls(("<pad>", "<unk>", "</s>", *letters), ("<pad>", "<s>", "</s>", *phones))

    def source_ids(self, word: str) -> list[int]:
        """Letters of a word, then the end token."""
        return [self.source.index(letter) for letter in word] + [SOURCE_EOS]

    def target_ids(self, phones: Sequence[str]) -> list[int]:
        """Begin token, symbols, end token."""
        return [BOS, *(self.target.index(phone) for phone in phones), EOS]


@dataclass(frozen=True)
class Batch:
    """A batch of words, padded at the end with 0."""

    source: Tensor  # (words, src)
    lengths: Tensor  # (words,) source tokens of each word
    target: Tensor  # (words, target), from begin to end token


def pad(rows: Sequence[Sequence[int]]) -> Tensor:
    """Rows of ids as one padded matrix (rows, longest)."""
    tensors = [torch.tensor(row) for row in rows]
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=PAD)


def source_batch(sources: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Padded source (words, src) and lengths (words,)."""
    return pad(sources), torch.tensor([len(source) for source in sources])


class Pairs:
    """Pairs of spelling and pronunciation as ids, one pair per pronunciation."""

    def __init__(self, words: Dictionary, vocabularies: Vocabularies) -> None:
        self.pairs = [
            (vocabularies.source_ids(word), vocabularies.target_ids(form))
            for word, forms in words.items()
            for form in forms
        ]

    def __len__(self) -> int:
        return len(self.pairs)

    def batches(self, size: int, rng: random.Random) -> Iterator[Batch]:
        """Batches of pairs with similar lengths, in random order; each pair occurs once."""
        key = [len(s) + 0.5 * len(t) + rng.random() for s, t in self.pairs]
        order = sorted(range(len(self.pairs)), key=key.__getitem__)
        chunks = [order[i : i + size] for i in range(0, len(order), size)]
        rng.shuffle(chunks)
        for chunk in chunks:
            source, lengths = source_batch([self.pairs[i][0] for i in chunk])
            yield Batch(source, lengths, pad([self.pairs[i][1] for i in chunk]))
