from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from tests.loaders.ctranslate2.ctranslate2_files import (
    encoder_decoder,
    model_bytes,
    write_ctranslate2,
)


def rewritten(folder: Path, variables: dict[str, Any], **options: Any) -> Path:
    write_ctranslate2(folder)
    (folder / "model.bin").write_bytes(model_bytes(variables, **options))
    return folder


CONFIG = {
    "architecture": "transformer",
    "source_vocab_size": 5,
    "target_vocab_size": 6,
    "hidden_size": 8,
    "intermediate_size": 6,
    "encoder_num_layers": 2,
    "decoder_num_layers": 2,
    "num_heads": 8,
    "norm_placement": "pre",
    "final_norm": True,
    "norm_eps": 1e-5,
    "activation": "relu",
    "positions": "sinusoidal",
    "position_layout": "halves",
    "position_offset": 1,
    "max_positions": 1024,
    "scale_embeddings": True,
    "embedding_norm": False,
    "shared_embeddings": False,
    "tied_output": False,
    "tokenizer": {"source": "words", "target": "words"},
    "decoder_start_token_id": 1,
    "add_source_bos": False,
    "add_source_eos": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "unk_token_id": 4,
    "source_bos_token_id": 1,
    "source_eos_token_id": 2,
    "source_pad_token_id": 0,
    "source_unk_token_id": 4,
}


def test_config(tmp_path: Path) -> None:
    checkpoint = loaders.load(write_ctranslate2(tmp_path))
    assert checkpoint.config == CONFIG
    # the loader appends <unk> when no line holds it
    source = ("<blank>", "<s>", "</s>", "a", "<unk>")
    assert checkpoint.vocabularies["source"].tokens == source
    assert checkpoint.vocabularies["target"].tokens[4] == "<unk>"


def test_fused_projections_are_cut(tmp_path: Path) -> None:
    variables = encoder_decoder()
    tensors = loaders.load(write_ctranslate2(tmp_path)).tensors

    def check(name: str, variable: str, rows: slice = slice(None)) -> None:
        for new, old in (("weight", "weight"), ("bias", "bias")):
            expected = variables[f"{variable}/{old}"][rows]
            assert tensors[f"{name}.{new}"].shape == expected.shape
            np.testing.assert_array_equal(tensors[f"{name}.{new}"].read(), expected, strict=True)

    for side in ("encoder", "decoder"):
        fused = f"{side}/layer_1/self_attention/linear_0"
        for i, part in enumerate("qkv"):
            rows = slice(8 * i, 8 * (i + 1))
            check(f"{side}.layers.1.self_attn.{part}_proj", fused, rows)
        own = f"{side}/layer_1/self_attention/linear_1"
        check(f"{side}.layers.1.self_attn.out_proj", own)
        check(f"{side}.layers.0.fc1", f"{side}/layer_0/ffn/linear_0")
        check(f"{side}.layers.0.fc2", f"{side}/layer_0/ffn/linear_1")
    cross = "decoder/layer_0/attention/linear"
    check("decoder.layers.0.encoder_attn.q_proj", f"{cross}_0")
    check("decoder.layers.0.encoder_attn.k_proj", f"{cross}_1", slice(0, 8))
    check("decoder.layers.0.encoder_attn.v_proj", f"{cross}_1", slice(8, 16))
    check("decoder.layers.0.encoder_attn.out_proj", f"{cross}_2")
    check("lm_head", "decoder/projection")
    assert tensors["encoder.layers.0.self_attn.v_proj.bias"].name.endswith("linear_0/bias[16:24]")


@pytest.mark.parametrize(
    ("name", "old"),
    [
        ("encoder.layer_norm", "encoder"),
        ("decoder.layers.1.self_attn_layer_norm", "decoder/layer_1/self_attention"),
        ("decoder.layers.1.encoder_attn_layer_norm", "decoder/layer_1/attention"),
        ("decoder.layers.1.final_layer_norm", "decoder/layer_1/ffn"),
    ],
)
def test_norms(tmp_path: Path, name: str, old: str) -> None:
    variables = encoder_decoder()
    tensors = loaders.load(write_ctranslate2(tmp_path)).tensors
    for new, parameter in (("weight", "gamma"), ("bias", "beta")):
        expected = variables[f"{old}/layer_norm/{parameter}"]
        np.testing.assert_array_equal(tensors[f"{name}.{new}"].read(), expected)


@pytest.mark.parametrize(
    ("scalars", "expected"),
    [
        ({"num_heads": np.int8(4)}, {"num_heads": 4}),
        ({"encoder/num_heads": np.int16(2), "decoder/num_heads": np.int16(2)}, {"num_heads": 2}),
        ({"pre_norm": np.int8(0)}, {"norm_placement": "post"}),
        ({"activation": np.int8(1)}, {"activation": "gelu_tanh"}),
        ({"decoder/scale_embeddings": np.float32(np.sqrt(8))}, {"scale_embeddings": True}),
        ({"encoder/embeddings/multiply_by_sqrt_depth": np.int8(0)}, {"scale_embeddings": False}),
        ({"with_target_bos": np.int8(0)}, {"decoder_start_token_id": 2}),
        ({"with_source_bos": np.int8(1)}, {"add_source_bos": True, "add_source_eos": False}),
        ({"with_source_eos": np.int8(1)}, {"add_source_bos": False, "add_source_eos": True}),
        ({"alignment_heads": np.int8(1), "alignment_layer": np.int16(-1)}, {}),
        ({"with_relative_position": np.int8(0)}, {}),
    ],
)
def test_settings(tmp_path: Path, scalars: dict[str, Any], expected: dict[str, Any]) -> None:
    config = loaders.load(write_ctranslate2(tmp_path, **scalars)).config
    assert {key: config[key] for key in expected} == expected


def test_heads_of_the_big_model(tmp_path: Path) -> None:
    path = rewritten(tmp_path, encoder_decoder(), spec="TransformerBig")
    assert loaders.load(path).config["num_heads"] == 16


@pytest.mark.parametrize(
    ("scalars", "message"),
    [
        ({"encoder/num_heads": np.int8(2), "decoder/num_heads": np.int8(4)}, "num_heads is 2 and"),
        ({"activation": np.int8(4)}, "activation 4, expected"),
        ({"with_relative_position": np.int8(1)}, "with_relative_position is 1, expected 0"),
        ({"decoder/sliding_window": np.int8(7)}, "setting 'decoder/sliding_window' .7. is not"),
    ],
)
def test_settings_that_are_not_supported(
    tmp_path: Path, scalars: dict[str, Any], message: str
) -> None:
    with pytest.raises(Unsupported, match=message):
        loaders.load(write_ctranslate2(tmp_path, **scalars))


def test_learned_positions(tmp_path: Path) -> None:
    variables = encoder_decoder()
    for side in ("encoder", "decoder"):
        variables[f"{side}/position_encodings/encodings"] = np.ones((20, 8), np.float32)
    config = (checkpoint := loaders.load(rewritten(tmp_path, variables))).config
    assert (config["positions"], config["position_layout"]) == ("learned", None)
    assert (config["position_offset"], config["max_positions"]) == (0, 20)
    assert checkpoint.tensors["decoder.embed_positions.weight"].shape == (20, 8)
    del variables["encoder/position_encodings/encodings"]
    with pytest.raises(Unsupported, match="position encodings are"):
        loaders.load(rewritten(tmp_path, variables))


@pytest.mark.parametrize("spec", ["Wav2Vec2Spec", "TransformerSpec\n"])
def test_specs(tmp_path: Path, spec: str) -> None:
    with pytest.raises(
        Unsupported, match=re.escape(f"spec {spec!r}, expected one of TransformerBase")
    ):
        loaders.load(rewritten(tmp_path, encoder_decoder(), spec=spec))


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("encoder/layer_0/ffn/linear_0_noact/weight", (6, 8), "linear_0_noact/weight' belongs to"),
        ("encoder/layer_0/self_attention/linear_0/weight", (23, 8), "expected 3 equal parts"),
        ("encoder/embeddings/weight", (3, 8), "has 4 lines, expected up to 3"),
        ("encoder/embeddings/weight", (40,), r"shape \(40,\), expected a matrix"),
        ("encoder/embeddings_0/weight", (5, 8), r"are both encoder\.embed_tokens\.weight"),
        ("encoder/layer_5/ffn/linear_0/bias", (6,), "are 0, 1, 5, expected 0, 1, "),
    ],
)
def test_weights_that_do_not_belong(
    tmp_path: Path, name: str, shape: tuple[int, ...], message: str
) -> None:
    variables = {**encoder_decoder(), name: np.zeros(shape, np.float32)}
    with pytest.raises((FormatError, Unsupported), match=message):
        loaders.load(rewritten(tmp_path, variables))


def test_one_vocabulary_for_both(tmp_path: Path) -> None:
    variables = encoder_decoder()
    variables["encoder/embeddings/weight"] = np.zeros((6, 8), np.float32)
    rewritten(tmp_path, variables)
    (tmp_path / "source_vocabulary.txt").unlink()
    (tmp_path / "target_vocabulary.txt").rename(tmp_path / "shared_vocabulary.txt")
    both = loaders.load(tmp_path).vocabularies
    assert both["source"].tokens == both["target"].tokens


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"<blank>\n<s>\n</s>\n\xff\n", FormatError, "UnicodeDecodeError"),
        (b"<blank>\n<s>\n<s>\n</s>\nx\n", Unsupported, "a token stands twice"),
        (b"<blank>\n<s>\nb\nx\ny\n", FormatError, "the target vocabulary has no '</s>'"),
    ],
)
def test_damaged_vocabularies(
    tmp_path: Path, content: bytes, error: type[Exception], message: str
) -> None:
    write_ctranslate2(tmp_path)
    (tmp_path / "target_vocabulary.txt").write_bytes(content)
    with pytest.raises(error, match=message):
        loaders.load(tmp_path)
    (tmp_path / "target_vocabulary.txt").unlink()
    with pytest.raises(FormatError, match=r"target_vocabulary\.txt is missing"):
        loaders.load(tmp_path)
