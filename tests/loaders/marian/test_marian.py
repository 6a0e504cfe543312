from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import attnengine as ae
from attnengine import loaders
from tests.loaders.arrays import Arrays
from tests.loaders.marian.marian_equations import MarianLSTM, MarianTransformer, Nematus
from tests.loaders.marian.marian_files import (
    HIDDEN,
    PRE_NORM,
    S2S_OPTIONS,
    SOURCE,
    TARGET,
    TRANSFORMER_OPTIONS,
    marian_arrays,
    nematus_arrays,
    transformer_arrays,
    write_marian,
    write_nematus,
    write_s2s,
    write_transformer,
)

SOURCE_IDS, TARGET_IDS = [2, 5, 3, 1, 0], [4, 2, 2, 3]
START = len(TARGET)


# ---- Nematus and the conditional GRU ----------------------------------------------------------


def assert_same_model(path: Path, arrays: Arrays) -> None:
    found = ae.load(path).logits(SOURCE_IDS, [START, *TARGET_IDS])
    expected = Nematus(arrays).logits(SOURCE_IDS, TARGET_IDS)
    # float32 sums of a few numbers of about 1
    np.testing.assert_allclose(found[:, :START], expected, rtol=2e-5, atol=2e-5)
    assert (found[:, START] < -1e8).all()


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("write", ["nematus", "s2s", "marian type nematus", "amun"])
def test_conditional_gru_against_its_equations(tmp_path: Path, write: str, tied: bool) -> None:
    arrays = nematus_arrays(tied)
    if write == "nematus":
        path = write_nematus(tmp_path, arrays)
    elif write == "s2s":
        path = write_marian(tmp_path, marian_arrays(arrays), S2S_OPTIONS)
    else:
        options = {**S2S_OPTIONS, "type": write.split()[-1]}
        path = write_marian(tmp_path, arrays, options)
    assert_same_model(path, arrays)


def test_nematus_and_marian_give_the_same_bits(tmp_path: Path) -> None:
    one, two = ae.load(write_nematus(tmp_path / "n")), ae.load(write_s2s(tmp_path / "m"))
    target = [START, *TARGET_IDS]
    assert one.logits(SOURCE_IDS, target).tobytes() == two.logits(SOURCE_IDS, target).tobytes()
    assert one.translate("a UNK b").score == two.translate("a <unk> b").score


def test_the_start_token_has_no_probability(tmp_path: Path) -> None:
    model = ae.load(write_s2s(tmp_path))
    expected = Nematus(nematus_arrays()).logits([2, 3, 0], [2, 4])
    log_probs = expected - np.log(np.exp(expected).sum(axis=1, keepdims=True))
    score = model.score("a b", "x z")
    np.testing.assert_allclose(
        score.token_log_probs, log_probs[np.arange(3), [2, 4, 0]], rtol=1e-4, atol=1e-5
    )
    found = model.translate("a b", beam_size=20, num_hypotheses=20, max_new_tokens=1)
    assert all(START not in hypothesis.ids for hypothesis in found.hypotheses)


S2S_CONFIG = {
    "architecture": "rnn_seq2seq",
    "source_vocab_size": 6,
    "target_vocab_size": 6,
    "source_embedding_size": 3,
    "target_embedding_size": 3,
    "encoder_hidden_size": 4,
    "encoder_num_layers": 1,
    "bidirectional": True,
    "decoder_hidden_size": 4,
    "decoder_num_layers": 1,
    "cell": "gru",
    "nonlinearity": "tanh",
    "bridge_input": "mean",
    "bridge_activation": "tanh",
    "bridge_cell": "zero",
    "attention": "additive",
    "attention_size": 8,
    "attention_query": "between",
    "input_feeding": False,
    "readout_inputs": ["embedding", "hidden", "context"],
    "readout_activation": "tanh",
    "readout_size": 3,
    "tied_output": False,
    "max_positions": None,
    "tokenizer": {"source": "words", "target": "words"},
    "decoder_start_token_id": 5,
    "add_source_bos": False,
    "add_source_eos": True,
    "source_bos_token_id": None,
    "source_eos_token_id": 0,
    "source_pad_token_id": None,
    "source_unk_token_id": 1,
    "bos_token_id": 5,
    "eos_token_id": 0,
    "pad_token_id": None,
    "unk_token_id": 1,
    "suppress_tokens": [5],
}


def test_config_of_s2s(tmp_path: Path) -> None:
    checkpoint = loaders.load(write_s2s(tmp_path))
    assert checkpoint.config == S2S_CONFIG
    assert checkpoint.vocabularies["source"].tokens == ("</s>", "<unk>", "a", "b", "c", "d")
    assert checkpoint.vocabularies["target"].tokens == ("</s>", "<unk>", "x", "y", "z", "<s>")


# ---- Marian -----------------------------------------------------------------------------------


def lstm_arrays(layers: int) -> Arrays:
    """Weights of type s2s with LSTMs: W, U and b hold the gates forget, input, cell, output."""
    arrays = marian_arrays(nematus_arrays())
    rng = np.random.default_rng(3)
    cells = [name[:-3] for name in arrays if name.endswith("_bx")]
    inputs = {name: len(arrays[f"{name}_Wx"]) for name in cells}
    inputs |= {f"decoder_l{layer}_cell1": HIDDEN for layer in range(2, layers + 1)}
    arrays = {name: array for name, array in arrays.items() if not name.startswith(tuple(cells))}
    for name, size in inputs.items():
        shapes = {"W": (size, 4 * HIDDEN), "U": (HIDDEN, 4 * HIDDEN), "b": (1, 4 * HIDDEN)}
        arrays |= {
            f"{name}_{part}": rng.normal(size=shape).astype(np.float32)
            for part, shape in shapes.items()
        }
    return arrays


@pytest.mark.parametrize("layers", [1, 3])
def test_lstm_against_its_equations(tmp_path: Path, layers: int) -> None:
    arrays = lstm_arrays(layers)
    options = {**S2S_OPTIONS, "enc-cell": "lstm", "dec-cell": "lstm", "dec-depth": layers}
    model = ae.load(write_marian(tmp_path, arrays, options))
    expected = MarianLSTM(arrays, layers).logits(SOURCE_IDS, TARGET_IDS)
    found = model.logits(SOURCE_IDS, [START, *TARGET_IDS])
    np.testing.assert_allclose(found[:, :START], expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("kind", ["self-attention", "rnn", "average-attention"])
def test_transformer_against_its_equations(tmp_path: Path, kind: str) -> None:
    arrays = transformer_arrays(kind=kind)
    options = {**TRANSFORMER_OPTIONS, "transformer-decoder-autoreg": kind, "dec-cell": "ssru"}
    model = ae.load(write_marian(tmp_path, arrays, options))
    expected = MarianTransformer(arrays, kind).logits(SOURCE_IDS, TARGET_IDS)
    found = model.logits(SOURCE_IDS, [START, *TARGET_IDS])
    # rounding of float32 through four layers
    np.testing.assert_allclose(found[:, :START], expected, rtol=1e-4, atol=5e-5)


@pytest.mark.parametrize("pre_norm", [False, True])
@pytest.mark.parametrize("learned", [False, True])
def test_transformer(tmp_path: Path, pre_norm: bool, learned: bool) -> None:
    arrays = transformer_arrays(pre_norm, learned)
    options = {**TRANSFORMER_OPTIONS, **(PRE_NORM if pre_norm else {})}
    checkpoint = loaders.load(write_marian(tmp_path, arrays, options))
    config = checkpoint.config
    assert config["norm_placement"] == ("pre" if pre_norm else "post")
    assert (config["final_norm"], config["activation"]) == (pre_norm, "silu")
    assert config["positions"] == ("learned" if learned else "sinusoidal")
    assert (config["max_positions"], config["norm_eps"]) == (20 if learned else 1024, 1e-6)
    query = checkpoint.tensors["decoder.layers.1.encoder_attn.q_proj.weight"].read()
    np.testing.assert_array_equal(query, arrays["decoder_l2_context_Wq"].T)
    embedding = checkpoint.tensors["decoder.embed_tokens.weight"].read()
    np.testing.assert_array_equal(embedding[:-1], arrays["decoder_Wemb"])
    assert not embedding[-1].any()
    assert ae.load(tmp_path / "model.npz").translate("a b", max_new_tokens=4).text != ""


def test_everything_tied(tmp_path: Path) -> None:
    arrays = transformer_arrays()
    del arrays["decoder_Wemb"], arrays["decoder_ff_logit_out_W"]
    arrays["Wemb"] = arrays.pop("encoder_Wemb")[: len(TARGET)]
    options = {**TRANSFORMER_OPTIONS, "tied-embeddings-all": True}
    checkpoint = loaders.load(write_marian(tmp_path, arrays, options, vocabularies=False))
    assert checkpoint.config["tied_output"]
    assert not checkpoint.config["shared_embeddings"]
    assert checkpoint.config["tokenizer"] == {"source": "none", "target": "none"}
    assert checkpoint.tensors["encoder.embed_tokens.weight"].shape == (5, 8)
    assert checkpoint.tensors["decoder.embed_tokens.weight"].shape == (6, 8)
    ae.load(tmp_path / "model.npz").translate([[2, 3, 0]], max_new_tokens=3)


def test_an_output_that_is_stored_turned(tmp_path: Path) -> None:
    arrays = transformer_arrays()
    arrays["decoder_ff_logit_out_Wt"] = arrays.pop("decoder_ff_logit_out_W").T
    path = write_marian(tmp_path, arrays, TRANSFORMER_OPTIONS)
    weight = loaders.load(path).tensors["lm_head.weight"].read()
    np.testing.assert_array_equal(weight[:-1], arrays["decoder_ff_logit_out_Wt"])


# ---- another reader of Marian's files -----------------------------------------------------------


@pytest.mark.peers
@pytest.mark.parametrize("pre_norm", [False, True])
def test_transformer_against_ctranslate2(tmp_path: Path, pre_norm: bool) -> None:
    """The model learns positions, because CTranslate2's sinusoids differ from Marian's."""
    ctranslate2 = pytest.importorskip("ctranslate2")
    options = {**TRANSFORMER_OPTIONS, **(PRE_NORM if pre_norm else {})}
    path = write_marian(tmp_path, transformer_arrays(pre_norm, learned=True), options)
    vocabularies = [str(tmp_path / f"vocab.{side}.yml") for side in ("src", "trg")]
    converter = ctranslate2.converters.MarianConverter(str(path), vocabularies)
    converter.convert(str(tmp_path / "converted"))
    other = ctranslate2.Translator(str(tmp_path / "converted"), intra_threads=1)
    source, target = "a d b c", "x z y y x"
    expected = other.score_batch([source.split()], [target.split()])[0].log_probs
    found = ae.load(path).score(source, target).token_log_probs
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_the_layout_of_writers(tmp_path: Path) -> None:
    """hostile.py damages the same files that these tests load."""
    for write in (write_transformer, write_s2s, write_nematus):
        assert loaders.load(write(tmp_path / write.__name__)).path.name == "model.npz"
    assert set(SOURCE.values()) == set(range(6))
