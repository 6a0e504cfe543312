from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loader_files import ctranslate2_bytes, ctranslate2_variables, write_ctranslate2

from attnengine import loaders
from attnengine.errors import FormatError, Unsupported


def rewritten(folder: Path, variables: dict[str, Any], **options: Any) -> Path:
    write_ctranslate2(folder)
    (folder / "model.bin").write_bytes(ctranslate2_bytes(variables, **options))
    return folder


def test_config(tmp_path: Path) -> None:
    checkpoint = loaders.load(write_ctranslate2(tmp_path))
    assert checkpoint.config == {
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
    # <unk> follows when no line is it
    source = ("<blank>", "<s>", "</s>", "a", "<unk>")
    assert checkpoint.vocabularies["source"].tokens == source
    assert checkpoint.vocabularies["target"].tokens[4] == "<unk>"


def test_fused_projections_are_cut(tmp_path: Path) -> None:
    variables = ctranslate2_variables()
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
    variables = ctranslate2_variables()
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
        ({"encoder/scale_embeddings": np.int8(0)}, {"scale_embeddings": False}),
        ({"decoder/scale_embeddings": np.float32(np.sqrt(8))}, {"scale_embeddings": True}),
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
    path = rewritten(tmp_path, ctranslate2_variables(), spec="TransformerBig")
    assert loaders.load(path).config["num_heads"] == 16


@pytest.mark.parametrize(
    ("scalars", "message"),
    [
        ({"encoder/num_heads": np.int8(2), "decoder/num_heads": np.int8(4)}, "num_heads is 2 and"),
        ({"activation": np.int8(4)}, "activation 4, expected"),
        ({"decoder/scale_embeddings": np.float32(3)}, r"scaled by 3\.0, expected 1 or"),
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
    variables = ctranslate2_variables()
    for side in ("encoder", "decoder"):
        variables[f"{side}/position_encodings/encodings"] = np.ones((20, 8), np.float32)
    config = (checkpoint := loaders.load(rewritten(tmp_path, variables))).config
    assert (config["positions"], config["position_layout"]) == ("learned", None)
    assert (config["position_offset"], config["max_positions"]) == (0, 20)
    assert checkpoint.tensors["decoder.embed_positions.weight"].shape == (20, 8)
    del variables["encoder/position_encodings/encodings"]
    with pytest.raises(Unsupported, match="position encodings are"):
        loaders.load(rewritten(tmp_path, variables))


@pytest.mark.parametrize(
    ("version", "error"),
    [(0, FormatError), (1, Unsupported), (3, Unsupported), (6, Unsupported), (7, FormatError)],
)
def test_versions(tmp_path: Path, version: int, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"version {version},"):
        loaders.load(rewritten(tmp_path, ctranslate2_variables(), version=version))


@pytest.mark.parametrize("spec", ["TransformerDecoderSpec", "WhisperSpec", ""])
def test_specs(tmp_path: Path, spec: str) -> None:
    with pytest.raises(Unsupported, match=f"spec '{spec}', expected one of TransformerBase"):
        loaders.load(rewritten(tmp_path, ctranslate2_variables(), spec=spec))


@pytest.mark.parametrize(("dtype", "precision"), [(np.int8, "int8"), (np.int16, "int16")])
def test_quantised_weights(tmp_path: Path, dtype: Any, precision: str) -> None:
    variables = ctranslate2_variables()
    variables["decoder/projection/weight"] = np.zeros((6, 8), dtype)
    with pytest.raises(Unsupported, match=f"decoder/projection/weight is {precision}"):
        loaders.load(rewritten(tmp_path, variables))


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("encoder/layer_0/ffn/linear_0_noact/weight", (6, 8), "linear_0_noact/weight' belongs to"),
        ("encoder/layer_0/self_attention/linear_0/weight", (23, 8), "expected 3 equal parts"),
        ("encoder/embeddings/weight", (4, 8), "has 5 tokens with <unk>, expected 4"),
        ("encoder/embeddings/weight", (40,), r"shape \(40,\), expected a matrix"),
        ("encoder/embeddings_0/weight", (5, 8), r"are both encoder\.embed_tokens\.weight"),
        ("encoder/layer_5/ffn/linear_0/bias", (6,), "are 0, 1, 5, expected 0, 1, "),
    ],
)
def test_weights_that_do_not_belong(
    tmp_path: Path, name: str, shape: tuple[int, ...], message: str
) -> None:
    variables = {**ctranslate2_variables(), name: np.zeros(shape, np.float32)}
    with pytest.raises((FormatError, Unsupported), match=message):
        loaders.load(rewritten(tmp_path, variables))


def _variable(name: bytes, rank: bytes, rest: bytes) -> bytes:
    head = struct.pack("<IH", 2, 16) + b"TransformerBase\0" + struct.pack("<IIH", 2, 1, len(name))
    return head + name + rank + rest


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\2\0", "the version is 4 bytes at offset 0"),
        (struct.pack("<IH", 2, 0xFFFF), "the spec's name is 65535 bytes"),
        (struct.pack("<IH", 2, 0), "expected a closing zero"),
        (struct.pack("<IH", 2, 4) + b"a\0b\0", "expected a closing zero"),
        (struct.pack("<IH", 2, 3) + b"\xff\xff\0", "UnicodeDecodeError"),
        (_variable(b"w\0", b"\xff", b""), "rank 255"),
        (_variable(b"w\0", b"\1", struct.pack("<IBI", 1 << 31, 4, 1 << 31)), "is 8589934592 bytes"),
        (_variable(b"w\0", b"\1", struct.pack("<IBI", 3, 4, 2)), "but 2 items"),
        (_variable(b"w\0", b"\2", struct.pack("<IIBI", 1 << 16, 1 << 16, 4, 0)), "but 0 items"),
        (_variable(b"w\0", b"\1", struct.pack("<IBI", 1, 3, 1)), "1 items of 3 bytes"),
        (_variable(b"w\0", b"\0", struct.pack("<BI", 1, 1) + b"\0more"), "4 bytes after the last"),
    ],
)
def test_damaged_files(tmp_path: Path, data: bytes, message: str) -> None:
    write_ctranslate2(tmp_path)
    (tmp_path / "model.bin").write_bytes(data)
    with pytest.raises(FormatError, match=message):
        loaders.load(tmp_path)


def test_one_vocabulary_for_both(tmp_path: Path) -> None:
    variables = ctranslate2_variables()
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
        (b"<blank>\n<s>\nb\nx\ny\n", FormatError, "the target vocabulary has no </s>"),
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


@pytest.mark.peers
def test_ctranslate2_reads_what_our_writer_writes(tmp_path: Path) -> None:
    ctranslate2 = pytest.importorskip("ctranslate2")
    folder = write_ctranslate2(tmp_path, num_heads=np.int8(2), pre_norm=np.int8(1))
    translator = ctranslate2.Translator(str(folder), inter_threads=1, intra_threads=1)
    assert translator.score_batch([["a"]], [["x", "y"]])[0].tokens == ["x", "y", "</s>"]


@pytest.mark.shared
def test_real_model(models: Path) -> None:
    checkpoint = loaders.load(models / "ct2-aren" / "v2" / "aren-transliteration")
    config = checkpoint.config
    assert (config["source_vocab_size"], config["target_vocab_size"]) == (51, 43)
    assert (config["hidden_size"], config["intermediate_size"]) == (32, 128)
    assert config["encoder_num_layers"] == config["decoder_num_layers"] == 6
    assert (config["num_heads"], config["norm_placement"]) == (8, "pre")
    assert (config["decoder_start_token_id"], config["eos_token_id"]) == (1, 2)
    assert (config["source_unk_token_id"], config["unk_token_id"]) == (50, 42)
    assert checkpoint.vocabularies["source"].tokens[3] == "ي"
    # 200 variables; the fused ones are 2 parameters cut in 3, or in 2, for each layer
    assert len(checkpoint.tensors) == 200 + 12 * 2 * 2 + 6 * 2 * 1
    total = sum(tensor.read().size for tensor in checkpoint.tensors.values())
    assert total == 182_731  # the items of all variables
    assert checkpoint.tensors["decoder.layers.5.encoder_attn.v_proj.weight"].shape == (32, 32)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("v2/aren-transliteration-i8", "is int8, expected float32"),
        ("v2/aren-transliteration-i16", "is int16 or float16, expected float32"),
        ("v1/aren-transliteration", "version 1, expected 2"),
    ],
)
def test_real_models_that_are_not_supported_yet(models: Path, folder: str, message: str) -> None:
    with pytest.raises(Unsupported, match=message):
        loaders.load(models / "ct2-aren" / folder)
