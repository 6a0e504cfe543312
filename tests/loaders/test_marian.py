from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loader_files import Arrays
from marian_files import (
    EMBEDDING,
    HIDDEN,
    NEMATUS_OPTIONS,
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
from numpy.typing import NDArray

import attnengine as ae
from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import yaml_text

SOURCE_IDS, TARGET_IDS = [2, 5, 3, 1, 0], [4, 2, 2, 3]
START = len(TARGET)


# ---- Nematus, as its equations are ------------------------------------------------------------


def sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    return 1 / (1 + np.exp(-x))


class Nematus:
    """The conditional GRU and the deep output in float64, by Nematus' parameter names."""

    def __init__(self, arrays: Arrays) -> None:
        self.p = {name: array.astype(np.float64) for name, array in arrays.items()}

    def gru(self, place: str, x: Any, h: Any, names: str = "W Wx U Ux b bx") -> NDArray[Any]:
        W, Wx, U, Ux, b, bx = (self.p[f"{place}_{name}"] for name in names.split())
        r, u = np.split(sigmoid(x @ W + h @ U + b), 2)
        inside = "nl" in names  # where the candidate's bias stands
        if inside:
            candidate = np.tanh(x @ Wx + r * (h @ Ux + bx))
        else:
            candidate = np.tanh(x @ Wx + bx + r * (h @ Ux))
        return u * h + (1 - u) * candidate

    def encode(self, ids: list[int]) -> NDArray[Any]:
        forward, backward = [np.zeros(HIDDEN)], [np.zeros(HIDDEN)]
        for i in ids:
            forward.append(self.gru("encoder", self.p["Wemb"][i], forward[-1]))
        for i in reversed(ids):
            backward.append(self.gru("encoder_r", self.p["Wemb"][i], backward[-1]))
        return np.concatenate([forward[1:], backward[:0:-1]], axis=1)

    def logits(self, source: list[int], target: list[int]) -> NDArray[Any]:
        """Row t scores what follows the first t tokens; the first embedding is zeros."""
        p, states = self.p, self.encode(source)
        h, rows = np.tanh(states.mean(axis=0) @ p["ff_state_W"] + p["ff_state_b"]), []
        for embedding in [np.zeros(EMBEDDING), *p["Wemb_dec"][target]]:
            between = self.gru("decoder", embedding, h)
            keys = np.tanh(
                states @ p["decoder_Wc_att"]
                + p["decoder_b_att"]
                + between @ p["decoder_W_comb_att"]
            )
            scores = (keys @ p["decoder_U_att"])[:, 0] + p["decoder_c_tt"]
            weights = np.exp(scores) / np.exp(scores).sum()
            context = weights @ states
            h = self.gru("decoder", context, between, "Wc Wcx U_nl Ux_nl b_nl bx_nl")
            parts = {"lstm": h, "prev": embedding, "ctx": context}
            hidden = sum(x @ p[f"ff_logit_{n}_W"] + p[f"ff_logit_{n}_b"] for n, x in parts.items())
            output = p["ff_logit_W"] if "ff_logit_W" in p else p["Wemb_dec"].T
            rows.append(np.tanh(hidden) @ output + p["ff_logit_b"])
        return np.array(rows)


def assert_same_model(path: Path, arrays: Arrays) -> None:
    found = ae.load(path).logits(SOURCE_IDS, [START, *TARGET_IDS])
    expected = Nematus(arrays).logits(SOURCE_IDS, TARGET_IDS)
    # float32 sums of a few numbers of size 1
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


def test_config_of_s2s(tmp_path: Path) -> None:
    checkpoint = loaders.load(write_s2s(tmp_path))
    assert checkpoint.config == {
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
    assert checkpoint.vocabularies["source"].tokens == ("</s>", "<unk>", "a", "b", "c", "d")
    assert checkpoint.vocabularies["target"].tokens == ("</s>", "<unk>", "x", "y", "z", "<s>")


# ---- Marian -----------------------------------------------------------------------------------


def lstm_arrays(layers: int) -> Arrays:
    """Type s2s with LSTMs: gates forget, input, cell, output in W, U and b."""
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


class MarianLSTM(Nematus):
    """The same with LSTMs, and more of them on top; a state is [hidden; cell]."""

    def __init__(self, arrays: Arrays, layers: int) -> None:
        super().__init__(arrays)
        self.layers = layers

    def lstm(self, place: str, x: Any, state: Any) -> Any:
        W, U, b = (self.p[f"{place}_{name}"] for name in "WUb")
        h, c = state
        f, i, g, o = np.split((x @ W + h @ U + b)[0], 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    def logits(self, source: list[int], target: list[int]) -> NDArray[Any]:
        p, zero = self.p, (np.zeros(HIDDEN), np.zeros(HIDDEN))
        runs = {"bi": source, "bi_r": source[::-1]}
        for direction, ids in runs.items():
            states = [zero]
            for i in ids:
                states.append(self.lstm(f"encoder_{direction}", p["encoder_Wemb"][i], states[-1]))
            runs[direction] = [h for h, _ in states[1:]]
        states = np.concatenate([runs["bi"], runs["bi_r"][::-1]], axis=1)
        start = np.tanh(states.mean(axis=0) @ p["decoder_ff_state_W"] + p["decoder_ff_state_b"])[0]
        layers, rows = [(start, start)] * self.layers, []
        for embedding in [np.zeros(EMBEDDING), *p["decoder_Wemb"][target]]:
            between = self.lstm("decoder_cell1", embedding, layers[0])
            energy = states @ p["decoder_Wc_att"] + between[0] @ p["decoder_W_comb_att"]
            scores = (np.tanh(energy + p["decoder_b_att"]) @ p["decoder_U_att"])[:, 0]
            context = np.exp(scores) / np.exp(scores).sum() @ states
            layers[0] = self.lstm("decoder_cell2", context, between)
            for k in range(1, self.layers):
                place = f"decoder_l{k + 1}_cell1"
                layers[k] = self.lstm(place, layers[k - 1][0], layers[k])
            hidden = sum(
                x @ p[f"decoder_ff_logit_l1_W{i}"] + p[f"decoder_ff_logit_l1_b{i}"]
                for i, x in enumerate((embedding, layers[-1][0], context))
            )
            rows.append(
                (np.tanh(hidden) @ p["decoder_ff_logit_l2_W"] + p["decoder_ff_logit_l2_b"])[0]
            )
        return np.array(rows)


@pytest.mark.parametrize("layers", [1, 3])
def test_lstm_against_its_equations(tmp_path: Path, layers: int) -> None:
    arrays = lstm_arrays(layers)
    options = {**S2S_OPTIONS, "enc-cell": "lstm", "dec-cell": "lstm", "dec-depth": layers}
    model = ae.load(write_marian(tmp_path, arrays, options))
    expected = MarianLSTM(arrays, layers).logits(SOURCE_IDS, TARGET_IDS)
    found = model.logits(SOURCE_IDS, [START, *TARGET_IDS])
    np.testing.assert_allclose(found[:, :START], expected, rtol=2e-5, atol=2e-5)


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


@pytest.mark.parametrize(
    ("base", "changes", "error", "message"),
    [
        ("s2s", {"type": "char-s2s"}, Unsupported, "type is 'char-s2s', expected 's2s'"),
        ("s2s", {"type": "multi-s2s"}, Unsupported, "type is 'multi-s2s'"),
        ("s2s", {"enc-cell": "ssru"}, Unsupported, "enc-cell is 'ssru'"),
        ("s2s", {"dec-cell": "lstm"}, Unsupported, "enc-cell and dec-cell differ"),
        ("s2s", {"enc-depth": 2}, Unsupported, "enc-depth is '2', expected '1'"),
        ("s2s", {"dec-cell-base-depth": 4}, Unsupported, "dec-cell-base-depth is '4'"),
        ("s2s", {"layer-normalization": True}, Unsupported, "layer-normalization is 'true'"),
        ("s2s", {"skip": True}, Unsupported, "skip is 'true'"),
        ("transformer", {"transformer-decoder-autoreg": "rnn"}, Unsupported, "autoreg is 'rnn'"),
        (
            "transformer",
            {"transformer-decoder-autoreg": "average-attention"},
            Unsupported,
            "autoreg is 'average-attention'",
        ),
        ("transformer", {"transformer-ffn-activation": "gelu"}, Unsupported, "is 'gelu'"),
        ("transformer", {"transformer-preprocess": "nd"}, Unsupported, r"\('n', 'an', ''\)"),
        ("transformer", {"transformer-tied-layers": [1, 1]}, Unsupported, "tied-layers is given"),
        ("transformer", {"transformer-heads": "x"}, FormatError, "heads is 'x', expected an int"),
        ("transformer", {"transformer-ffn-depth": 3}, Unsupported, "ffn-depth is '3'"),
        ("transformer", {"lemma-dim-emb": 8}, Unsupported, "lemma-dim-emb is '8'"),
    ],
)
def test_options_name_themselves_and_their_value(
    tmp_path: Path, base: str, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    options, arrays = S2S_OPTIONS, marian_arrays(nematus_arrays())
    if base == "transformer":
        options, arrays = TRANSFORMER_OPTIONS, transformer_arrays()
    with pytest.raises(error, match=message):
        loaders.load(write_marian(tmp_path, arrays, {**options, **changes}))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"factors": 2}, Unsupported, "factors is '2', expected '1'"),
        ({"layer_normalisation": True}, Unsupported, "layer_normalisation is 'True'"),
        ({"enc_depth": 4}, Unsupported, "enc_depth is '4'"),
        ({"use_dropout": True}, Unsupported, "use_dropout is true without model_version"),
        ({"dictionaries": ["a"]}, FormatError, "dictionaries are not those"),
        ({"encoder": ["gru"]}, FormatError, "encoder is .*, expected a single value"),
    ],
)
def test_options_of_nematus(
    tmp_path: Path, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        loaders.load(write_nematus(tmp_path, options={**NEMATUS_OPTIONS, **changes}))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"decoder_mystery": (2, 2)}, Unsupported, "'decoder_mystery' belongs to nothing"),
        ({"Wemb1": (6, 3)}, Unsupported, "'Wemb1' belongs to nothing"),
        ({"decoder_Ux": (3, 4)}, FormatError, "which are no parts of one weight"),
        ({"ff_logit_b": (4,)}, FormatError, "ff_logit_b is .*, expected 5 rows"),
        ({"encoder_W": (8,)}, FormatError, "which are no parts of one weight"),
    ],
)
def test_weights_that_do_not_belong(
    tmp_path: Path, changes: dict[str, tuple[int, ...]], error: type[Exception], message: str
) -> None:
    arrays = nematus_arrays()
    arrays |= {name: np.zeros(shape, np.float32) for name, shape in changes.items()}
    with pytest.raises(error, match=message):
        loaders.load(write_nematus(tmp_path, arrays))


# ---- vocabularies -----------------------------------------------------------------------------


def test_vocabularies_that_marian_reads(tmp_path: Path) -> None:
    path = write_s2s(tmp_path)
    odd = ['"</s>": 0', "<unk>: 1", '"a: \\"b": 2', "'yes': 3", "no: 4"]
    (tmp_path / "vocab.src.yml").write_text("\n".join(odd), encoding="utf-8")
    tokens = loaders.load(path).vocabularies["source"].tokens
    assert tokens == ("</s>", "<unk>", 'a: "b', "yes", "no", "")
    (tmp_path / "lines.txt").write_text("</s>\n<unk>\nx\n", encoding="utf-8")
    decoder = tmp_path / "model.npz.decoder.yml"
    decoder.write_text("vocabs: [vocab.src.yml, lines.txt]", encoding="utf-8")
    assert loaders.load(path).vocabularies["target"].tokens[2:5] == ("x", "", "")


@pytest.mark.parametrize(
    ("file", "text", "error", "message"),
    [
        ("model.npz.decoder.yml", "vocabs: [a.yml]", FormatError, "expected two files"),
        ("model.npz.decoder.yml", "[]", FormatError, "expected two files"),
        ("model.npz.decoder.yml", "vocabs: [[a], b]", FormatError, "expected the name of a file"),
        ("model.npz.decoder.yml", "vocabs: [../../x, b]", FormatError, "x is missing"),
        ("model.npz.decoder.yml", "vocabs: [a.fsv, b]", Unsupported, "of the kind .fsv"),
        ("model.npz.decoder.yml", "vocabs: [a.spm, b]", Unsupported, "of the kind .spm"),
        ("vocab.src.yml", "a: b", FormatError, "the id of 'a' is 'b'"),
        ("vocab.src.yml", "- a", FormatError, "expected a table of tokens and ids"),
    ],
)
def test_vocabularies_that_do_not_fit(
    tmp_path: Path, file: str, text: str, error: type[Exception], message: str
) -> None:
    path = write_s2s(tmp_path)
    (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(error, match=message):
        loaders.load(path)


# ---- YAML -------------------------------------------------------------------------------------


def test_yaml_guesses_nothing() -> None:
    text = "a: yes\nb: [1, null, 2021-01-01]\nc: {d: 0x10, e: }\n"
    expected = {"a": "yes", "b": ["1", "null", "2021-01-01"], "c": {"d": "0x10", "e": ""}}
    assert yaml_text.parse(text, "f") == expected


@pytest.mark.parametrize(
    "text",
    ["a: &x 1\nb: *x", "a: 1\na: 2", "? [a]\n: b", "a: [", "", "--- 1\n--- 2", "[" * 60 + "]" * 60],
)
def test_yaml_that_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="f is not the YAML that attnengine reads"):
        yaml_text.parse(text, "f")


# ---- another reader of Marian's files -----------------------------------------------------------


@pytest.mark.peers
@pytest.mark.parametrize("pre_norm", [False, True])
def test_transformer_against_ctranslate2(tmp_path: Path, pre_norm: bool) -> None:
    """With learned positions: CTranslate2 computes other sinusoids than Marian."""
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
    """What hostile.py damages is what these tests load."""
    for write in (write_transformer, write_s2s, write_nematus):
        assert loaders.load(write(tmp_path / write.__name__)).path.name == "model.npz"
    assert set(SOURCE.values()) == set(range(6))
