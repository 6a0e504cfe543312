"""Encoders in transformers folders, and the files that sentence-transformers adds to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from attnengine import loaders
from attnengine.errors import Error, FormatError, InvalidArgument, Unsupported
from tests.golden import huggingface as golden
from tests.loaders.huggingface.huggingface_files import write_json, write_safetensors

CASE = golden.cases("bert")["plain"]
KINDS = ("Transformer", "Pooling", "Normalize")
IDS = [1, 5, 7, 2]


def write_encoder(folder: Path, **changes: Any) -> Path:
    """Write a BERT as version 4 of transformers did, without its head, in the folder itself."""
    folder.mkdir(exist_ok=True)
    config = {key: value for key, value in CASE["config"].items() if key != "architecture"}
    write_json(folder / "config.json", {"model_type": "bert", **config, **changes})
    arrays = golden.weights(CASE["shapes"], CASE["seed"])
    early = {}
    for name, array in arrays.items():
        name = name.removeprefix("bert.")
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma")
        early[name.replace("LayerNorm.bias", "LayerNorm.beta")] = array
    early["pooler.dense.weight"] = np.ones((32, 32), np.float32)
    early["embeddings.position_ids"] = np.arange(64, dtype=np.float32)[None]
    write_safetensors(folder / "model.safetensors", early)
    return folder


def write_modules(
    folder: Path, pooling: dict[str, Any], kinds: tuple[str, ...] = KINDS, first: str = ""
) -> Path:
    modules = [
        {"type": f"sentence_transformers.models.{kind}", "path": f"{i}_{kind}" if i else first}
        for i, kind in enumerate(kinds)
    ]
    write_json(folder / "modules.json", modules)
    (folder / "1_Pooling").mkdir(exist_ok=True)
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 32, **pooling})
    return folder


def test_without_modules_the_mean_is_taken(tmp_path: Path) -> None:
    model = ae.load(write_encoder(tmp_path))
    assert isinstance(model, ae.Encoder)
    states = model.hidden_states(IDS)
    expected = golden.uncached(golden.model(CASE), IDS, None)
    np.testing.assert_array_equal(states, expected)
    np.testing.assert_allclose(model.encode(IDS), states.mean(axis=0), rtol=0, atol=1e-6)
    assert abs(np.linalg.norm(model.encode(IDS)) - 1) > 0.1


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, "mean"),
        ({"pooling_mode_cls_token": True}, "first"),
        ({"pooling_mode_max_tokens": True}, "max"),
        ({"pooling_mode_lasttoken": True, "include_prompt": True}, "last"),
        ({"pooling_mode": "cls"}, "first"),
        ({"pooling_mode_weightedmean_tokens": True}, "weighted_mean"),
        ({"pooling_mode_mean_sqrt_len_tokens": True}, "mean_sqrt"),
        ({"pooling_mode": "weightedmean"}, "weighted_mean"),
    ],
)
def test_poolings(tmp_path: Path, pooling: dict[str, Any], expected: str) -> None:
    model = ae.load(write_modules(write_encoder(tmp_path), pooling))
    vector = model.encode(IDS)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    plain = model.encode(IDS, pooling=expected, normalize=False)
    np.testing.assert_allclose(vector, plain / np.linalg.norm(plain), rtol=0, atol=1e-6)
    together = model.encode([[3], IDS, [4, 5]], max_batch_size=2)
    np.testing.assert_array_equal(together[1], vector)


def test_the_transformer_may_lie_in_a_folder_inside(tmp_path: Path) -> None:
    write_encoder(tmp_path / "0_Transformer")
    kinds, mean = KINDS[:2], {"pooling_mode_mean_tokens": True}
    inside = ae.load(write_modules(tmp_path, mean, kinds, first="0_Transformer"))
    outside = ae.load(tmp_path / "0_Transformer")
    np.testing.assert_array_equal(inside.encode(IDS), outside.encode(IDS))


PROMPTS = {"prompts": {"query": "the ", "passage": "on "}, "default_prompt_name": "query"}
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "on", "mat", "Cat"]


def write_words(folder: Path, **settings: Any) -> Path:
    """Write an encoder with a tokenizer of words and modules.json."""
    write_modules(write_encoder(folder), {"pooling_mode": "mean"})
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": False, **settings}
    write_json(folder / "tokenizer_config.json", settings)
    return folder


@pytest.mark.parametrize("converted", [False, True])
def test_prompts(tmp_path: Path, converted: bool) -> None:
    path = write_words(tmp_path / "theirs")
    plain = ae.load(path)
    write_json(path / "config_sentence_transformers.json", PROMPTS)
    if converted:
        loaders.convert(path, tmp_path / "ours")
        path = tmp_path / "ours"
    model = ae.load(path)

    def same(got: Any, text: str) -> None:
        np.testing.assert_array_equal(got, plain.encode(text))

    same(model.encode("cat sat"), "the cat sat")  # the default prompt
    same(model.encode(["mat", "cat sat"])[1], "the cat sat")
    same(model.encode("cat sat", prompt_name="passage"), "on cat sat")
    same(model.encode("cat sat", prompt="mat "), "mat cat sat")
    same(model.encode("cat sat", prompt=""), "cat sat")
    ids = plain.tokenizer.encode("cat sat")
    np.testing.assert_array_equal(model.encode(ids), plain.encode(ids))  # exactly as given
    with pytest.raises(InvalidArgument, match="prompt_name is 'document', expected one of the"):
        model.encode("cat", prompt_name="document")
    with pytest.raises(InvalidArgument, match="prompt_name is 'query', expected None beside a pro"):
        model.encode("cat", prompt_name="query", prompt="the ")
    with pytest.raises(InvalidArgument, match="a prompt is given, expected texts"):
        model.encode(ids, prompt="the ")
    with pytest.raises(InvalidArgument, match="expected one of the model's: it has none"):
        plain.encode("cat", prompt_name="query")


def test_lower_case(tmp_path: Path) -> None:
    path = write_words(tmp_path)
    plain = ae.load(path)
    assert (plain.encode("Cat") != plain.encode("cat")).any()
    write_json(path / "sentence_bert_config.json", {"max_seq_length": 24, "do_lower_case": True})
    model = ae.load(path)
    np.testing.assert_array_equal(model.encode("Cat"), plain.encode("cat"))
    np.testing.assert_array_equal(model.encode(["Cat SAT"])[0], plain.encode("cat sat"))


@pytest.mark.parametrize(
    ("own", "tokenizer", "longest"),
    [(None, 5, 5), (7, 5, 7), (None, 10**30, 64), (None, 1000, 64), (None, None, 64)],
)
def test_the_longest_text(tmp_path: Path, own: Any, tokenizer: Any, longest: int) -> None:
    path = write_words(tmp_path, model_max_length=tokenizer)
    if own is not None:
        write_json(path / "sentence_bert_config.json", {"max_seq_length": own})
    model, text = ae.load(path), " ".join(["cat"] * 70)
    expected = model.encode(" ".join(["cat"] * (longest - 2)))  # with [CLS] and [SEP]
    np.testing.assert_array_equal(model.encode(text, truncate=True), expected)
    with pytest.raises(InvalidArgument, match=f"has 72 tokens, .* expected at most {longest}"):
        model.encode(text)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prompts": {"query": 3}}, "prompts is .*, expected texts by name"),
        ({"default_prompt_name": "query"}, "default_prompt_name is 'query', expected null or one"),
        ({"similarity_fn_name": "maxsim"}, "similarity is 'maxsim', expected one of cosine, dot"),
    ],
)
def test_settings_that_do_not_fit(tmp_path: Path, settings: Any, message: str) -> None:
    path = write_words(tmp_path)
    write_json(path / "config_sentence_transformers.json", settings)
    with pytest.raises(FormatError, match=message):
        ae.load(path)


def test_conversion_keeps_pooling(tmp_path: Path) -> None:
    write_modules(write_encoder(tmp_path / "theirs"), {"pooling_mode_cls_token": True})
    loaders.convert(tmp_path / "theirs", tmp_path / "ours")
    theirs, ours = ae.load(tmp_path / "theirs"), ae.load(tmp_path / "ours")
    np.testing.assert_array_equal(theirs.encode(IDS), ours.encode(IDS))


@pytest.mark.parametrize(
    ("pooling", "kinds", "error", "message"),
    [
        (
            {"pooling_mode": "sum"},
            KINDS,
            Unsupported,
            "pooling is 'sum', expected one of mean, cls",
        ),
        (
            {"pooling_mode": "mean", "include_prompt": False},
            KINDS,
            Unsupported,
            "include_prompt is false, expected true: prompts are pooled too",
        ),
        ({}, KINDS, Unsupported, "pooling is .., expected one of mean, cls"),
        (
            {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True},
            KINDS,
            Unsupported,
            r"pooling is \['mean', 'cls'\], expected one of mean",
        ),
        ({"pooling_mode": "cls", "word_embedding_dimension": 31}, KINDS, FormatError, "is 31"),
        ({}, (*KINDS[:2], "Dense"), Unsupported, "modules are Transformer, Pooling, Dense"),
        ({}, ("Pooling",), Unsupported, "modules are Pooling, expected Transformer"),
    ],
)
def test_what_is_refused(
    tmp_path: Path,
    pooling: dict[str, Any],
    kinds: tuple[str, ...],
    error: type[Error],
    message: str,
) -> None:
    write_modules(write_encoder(tmp_path), pooling, kinds)
    with pytest.raises(error, match=message):
        ae.load(tmp_path)


def test_a_module_outside_of_the_folder_is_refused(tmp_path: Path) -> None:
    write_encoder(tmp_path / "theirs")
    write_modules(tmp_path / "theirs", {"pooling_mode": "cls"}, first="../elsewhere")
    with pytest.raises(FormatError, match=r"path is '\.\./elsewhere', expected a folder beside it"):
        ae.load(tmp_path / "theirs")


@pytest.mark.parametrize("key", ["is_decoder", "add_cross_attention"])
def test_a_decoder_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises((FormatError, Unsupported), match=key):
        ae.load(write_encoder(tmp_path, **{key: True}))
