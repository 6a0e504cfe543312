from __future__ import annotations

import hashlib

from benchmarks.studies.precision import SENTENCES, SHORTEST, TEXT, compared, sentences_of


def test_the_text_is_what_figures_were_measured_on() -> None:
    text = TEXT.read_bytes()
    assert hashlib.sha256(text).hexdigest() == (
        "246f7e73cc1a0d4754c1079b4d44afaad471390e181da64c06921edbb198d2a5"
    )
    sentences = sentences_of(" ".join(text.decode().split()))
    assert len(sentences) == SENTENCES
    assert min(map(len, sentences)) >= SHORTEST


def test_accuracy_in_words() -> None:
    assert compared("SmolLM2-135M", 20.2, 20.0) == "perplexity 20.200 (+1.00 %)"
    assert compared("packaged g2p", 32.5, 32.4) == "word error rate 32.50 % (+0.10)"
    vectors = [[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.0, 1.0]]
    assert compared("MiniLM-L6", *vectors) == "cosine 0.95000, at least 0.90000"
