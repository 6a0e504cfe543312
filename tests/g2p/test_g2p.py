"""The grapheme-to-phoneme model that the package contains."""

from __future__ import annotations

import numpy as np
import pytest

from attnengine import g2p, loaders
from attnengine.reference.rnn_seq2seq import RnnSeq2Seq
from attnengine.reference.scoring import token_log_probs
from tests.helpers.bits import check_same_bits

WORDS = ["attention", "beam", "search", "a", "encyclopedia", "o'clock", "sequences"]


def test_pronounces_words() -> None:
    assert g2p.pronounce("attention") == "AH0 T EH1 N SH AH0 N"
    assert g2p.pronounce(["beam", "search"]) == ["B IY1 M", "S ER1 CH"]


def test_scores_are_those_of_the_reference() -> None:
    checkpoint = loaders.load(g2p.PATH)
    weights = {name: t.read().astype(np.float64) for name, t in checkpoint.tensors.items()}
    reference = RnnSeq2Seq(checkpoint.config, weights)
    model = g2p.load_g2p()
    start, end = (checkpoint.config[key] for key in ("decoder_start_token_id", "eos_token_id"))
    for word, result in zip(WORDS, model.translate(WORDS, num_hypotheses=5), strict=True):
        source = [*model.source_tokenizer.encode(word), checkpoint.config["source_eos_token_id"]]
        for hypothesis in result.hypotheses:
            logits = reference.logits(source, [start, *hypothesis.ids])
            expected = token_log_probs(logits, [*hypothesis.ids, end])
            # float32 against float64
            assert model.score(word, hypothesis.text).token_log_probs == pytest.approx(
                expected, abs=1e-4
            )


def test_results_do_not_depend_on_the_batch() -> None:
    rng = np.random.default_rng(0)
    letters = list("abcdefghijklmnopqrstuvwxyz")
    texts = ["".join(rng.choice(letters, n)) for n in rng.integers(1, 15, 70)]
    check_same_bits(g2p.PATH, texts, num_hypotheses=5, return_attention=True, return_tree=True)
