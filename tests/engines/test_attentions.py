"""Attention weights of every head of every layer: reference, transformers, engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import Encoder, LanguageModel, Seq2Seq
from attnengine.decoding import attentions
from attnengine.decoding.sentences import Sentence
from attnengine.errors import InvalidArgument, Unsupported
from attnengine.models import build
from attnengine.reference.random_weights import random_weights
from attnengine.reference.transformer import Transformer
from tests.golden import huggingface as golden
from tests.golden.families import FAMILIES
from tests.models.checks import assert_close, model, weights64
from tests.models.configs import LLAMA, RNN_ENCODER, RNN_LM, RNN_SEQ2SEQ, TRANSFORMER

SOURCE, TARGET = [1, 2, 3, 4, 5], [6, 7, 8]
# For every family that reads tokens: the plain variant, and all variants with attention windows.
CASES = {
    f"{name}: {variant}": (name, case)
    for name, family in FAMILIES.items()
    if family.kind != "speech"
    for variant, case in golden.cases(name).items()
    if variant == "plain" or "window" in variant or "local" in variant
}


@pytest.mark.parametrize("placement", ["pre", "post"])
def test_against_the_reference(placement: str) -> None:
    config = TRANSFORMER | {"norm_placement": placement, "encoder_num_layers": 3}
    expected = Transformer(config, weights64(config)).attentions(SOURCE, TARGET)
    found = attentions.of_both(model(config), Sentence(TARGET, SOURCE))
    assert_close(found.encoder, expected.encoder)
    assert_close(found.decoder, expected.decoder)
    assert_close(found.cross, expected.cross)


def test_keeping_them_changes_nothing() -> None:
    transformer = model(TRANSFORMER)
    logits, mean = [], []
    for keep in (False, True):
        state = transformer.new_state()
        state.keep_alignment, state.keep_all_attentions = True, keep
        sequences = state.add(transformer.encode(SOURCE + TARGET, [5, 3]))
        rows = np.repeat(sequences, 2)
        logits.append(transformer.step([1, 2, 3, 4], rows, state).copy())
        mean.append(state.attention.copy())
    np.testing.assert_array_equal(*logits)
    np.testing.assert_array_equal(*mean)
    _, cross = state.attentions  # (layers, heads, rows, longest source)
    np.testing.assert_allclose(cross[-1].mean(axis=0), mean[1], atol=1e-7)
    assert not cross[..., 2:, 3:].any()


def test_later_steps_see_the_past() -> None:
    llama = model(LLAMA)
    state = llama.new_state()
    state.keep_all_attentions = True
    sequence = state.add(1)
    llama.step([1, 2], np.repeat(sequence, 2), state)
    llama.step([3], sequence, state)
    expected, _ = attentions.of_decoder(llama, Sentence([1, 2, 3]))
    np.testing.assert_array_equal(state.attentions[0], expected[:, :, 2:])


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_against_transformers(name: str) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from tests.golden.make_huggingface import filled

    family, case = CASES[name]
    config = {key: value for key, value in case["config"].items() if key != "architecture"}
    module, _ = filled(FAMILIES[family], config, case["seed"])
    prompt = case["prompts"][2]
    ids, source = torch.tensor([prompt["ids"]]), prompt.get("source")
    ours = golden.model(case)
    with torch.no_grad():
        if source is None:
            pairs = [(own(ours, prompt["ids"]), module(ids, output_attentions=True).attentions)]
        else:
            found = attentions.of_both(ours, Sentence(prompt["ids"], source))
            theirs = module(torch.tensor([source]), decoder_input_ids=ids, output_attentions=True)
            pairs = [
                (found.encoder, theirs.encoder_attentions),
                (found.decoder, theirs.decoder_attentions),
                (found.cross, theirs.cross_attentions),
            ]
    for weights, expected in pairs:
        # float32 against float64: scores reach some tens, with errors of some 1e-6 times that
        np.testing.assert_allclose(weights, torch.cat(expected).numpy(), atol=5e-5)


def own(ours: Any, ids: list[int]) -> Any:
    """Our self-attention weights, of an encoder or a language model."""
    if isinstance(ours, ae._core.Encoder):
        return attentions.of_encoder(ours, ids)
    return attentions.of_decoder(ours, Sentence(ids))[0]


def test_engines(tmp_path: Path) -> None:
    special = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id"))
    source = {f"source_{key}": None for key in special}
    source |= {"add_source_bos": False, "add_source_eos": False, "decoder_start_token_id": 0}
    two = {"tokenizer": {"source": "none", "target": "none"}, **special, **source}
    one = {"tokenizer": "none", **special}

    def engine(config: dict[str, Any]) -> Any:
        ae.save(tmp_path / config["architecture"], config, random_weights(config, 0), {})
        return ae.load(tmp_path / config["architecture"])

    seq2seq, lm = engine(TRANSFORMER | two), engine(LLAMA | one)
    assert isinstance(seq2seq, Seq2Seq)
    assert isinstance(lm, LanguageModel)
    found = seq2seq.attentions(SOURCE, TARGET)
    assert found.encoder.shape == (2, 3, 5, 5)
    assert found.decoder.shape == (2, 3, 3, 3)
    assert found.cross.shape == (2, 3, 3, 5)
    weights = lm.attentions(SOURCE)
    assert weights.shape == (2, 4, 5, 5)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)
    assert not np.triu(weights, 1).any()
    for config, arguments in (
        (RNN_SEQ2SEQ | two, (SOURCE, TARGET)),
        (RNN_LM | one, (SOURCE,)),
        (RNN_ENCODER | one, (SOURCE,)),
    ):
        with pytest.raises(Unsupported, match=r"the model is a Rnn\w+, expected a Transformer"):
            engine(config).attentions(*arguments)
    assert isinstance(engine(RNN_ENCODER | one), Encoder)


def test_they_must_be_kept() -> None:
    llama = build(LLAMA, random_weights(LLAMA, 0))
    state = llama.new_state()
    llama.step([1], state.add(1), state)
    with pytest.raises(InvalidArgument, match="set keep_all_attentions before the step"):
        state.attentions  # noqa: B018
