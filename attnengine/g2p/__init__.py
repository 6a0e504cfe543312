"""English spelling to pronunciation, with the model that ships in the package."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, overload

from attnengine.engines import Seq2Seq, load_seq2seq

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from attnengine.decoding.options import Options

PATH = Path(__file__).parent.parent / "data" / "g2p"


def load_g2p(
    *, precision: str = "float32", num_threads: int = 1, num_workers: int | None = None
) -> Seq2Seq:
    """The packaged model: letters of a word to phonemes (ARPAbet with stress).

    It is so small that a second thread only pays on idle cores and in large batches.
    """
    return load_seq2seq(PATH, precision=precision, num_threads=num_threads, num_workers=num_workers)


@overload
def pronounce(words: str, **options: Unpack[Options]) -> str: ...
@overload
def pronounce(words: list[str], **options: Unpack[Options]) -> list[str]: ...
def pronounce(words: str | list[str], **options: Unpack[Options]) -> str | list[str]:
    """The pronunciation of one word, or of each word of a list: phonemes joined by spaces.

    ``load_g2p().translate`` also gives scores, several pronunciations and attention. The
    options are those of ``translate``.
    """
    if isinstance(words, str):
        return _shared().translate(words, **options).text
    return [result.text for result in _shared().translate(words, **options)]


@functools.cache
def _shared() -> Seq2Seq:
    return load_g2p()
