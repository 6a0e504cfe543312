"""Vectors of folders that sentence-transformers itself writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae
from tests.loaders.huggingface.huggingface_files import write_json
from tests.loaders.huggingface.test_sentence_transformers import WORDS

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

TEXTS = ["the cat sat", "The Cat ran", " ".join(["the cat sat on the mat"] * 3), "mat"]
PROMPTS = {"query": "the mat ", "passage": "on "}
NAMED = {"prompts": PROMPTS, "default_prompt_name": "query"}
CONFIG = "config_sentence_transformers.json"
BERT = "sentence_bert_config.json"
TOKENIZER = "tokenizer_config.json"

# layout -> pooling, whether vectors are normalised, keys of files, options of both engines
LAYOUTS: dict[str, tuple[str, bool, dict[str, dict[str, Any]], dict[str, Any]]] = {
    "mean": ("mean", False, {}, {}),
    "first token": ("cls", False, {}, {}),
    "maximum": ("max", False, {}, {}),
    "last token": ("lasttoken", False, {}, {}),
    "weighted mean": ("weightedmean", False, {}, {}),
    "sum over root": ("mean_sqrt_len_tokens", False, {}, {}),
    "normalised": ("mean", True, {}, {}),
    "default prompt": ("mean", True, {CONFIG: NAMED}, {}),
    "another prompt": ("mean", True, {CONFIG: NAMED}, {"prompt_name": "passage"}),
    "own prompt": ("cls", True, {CONFIG: NAMED}, {"prompt": "cat "}),
    "prompts, none by default": ("mean", True, {CONFIG: {"prompts": PROMPTS}}, {}),
    "lower case": ("mean", True, {BERT: {"do_lower_case": True}}, {}),
    "short": ("mean", True, {BERT: {"max_seq_length": 9}}, {}),
    "short tokenizer": ("mean", True, {TOKENIZER: {"model_max_length": 7}}, {}),
    "short in both": (
        "mean",
        True,
        {BERT: {"max_seq_length": 9}, TOKENIZER: {"model_max_length": 7}},
        {},
    ),
    "first elements": ("mean", True, {}, {"truncate_dim": 5}),
}


def write(folder: Path, pooling: str, normalised: bool, keys: dict[str, dict[str, Any]]) -> Path:
    """Write a model with sentence-transformers, then change keys of its files."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    st = pytest.importorskip("sentence_transformers")
    parts = pytest.importorskip("sentence_transformers.models")
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    sizes = {"hidden_size": 16, "intermediate_size": 24, "max_position_embeddings": 24}
    layers = {"num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": len(WORDS)}
    torch.manual_seed(0)
    module = transformers.BertModel(transformers.BertConfig(**sizes, **layers))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    module.save_pretrained(folder)
    transformers.BertTokenizer(str(folder / "vocab.txt"), do_lower_case=False).save_pretrained(
        folder
    )
    modules = [
        parts.Transformer(str(folder)),
        parts.Pooling(16, pooling_mode=pooling),
        *([parts.Normalize()] if normalised else []),
    ]
    st.SentenceTransformer(modules=modules, device="cpu").save(str(folder / "saved"))
    for name, changes in keys.items():
        file = folder / "saved" / name
        given = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        write_json(file, {**given, **changes})
    return folder / "saved"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_vectors(tmp_path: Path, layout: str) -> None:
    *files, options = LAYOUTS[layout]
    path = write(tmp_path / "model", *files)
    peer = pytest.importorskip("sentence_transformers").SentenceTransformer(str(path), device="cpu")
    expected = peer.encode(TEXTS, **options)
    model = ae.load(path)
    assert isinstance(model, ae.Encoder)

    found = model.encode(TEXTS, truncate=True, **options)

    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)  # float32 of both
    np.testing.assert_allclose(
        model.similarity(found, found), peer.similarity(found, found), rtol=0, atol=1e-5
    )
