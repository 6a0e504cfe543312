from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attnengine import loaders
from attnengine.errors import FormatError, Unsupported
from tests.loaders.files.torch_files import Call, Name, write_legacy, write_zip
from tests.loaders.opennmt.opennmt_files import opennmt, opennmt_content, write_opennmt_npz


def test_the_last_of_a_token_that_stands_twice(tmp_path: Path) -> None:
    model = opennmt()
    target = ["<unk>", "</s>", "x", "<s>", "</s>", "<unk>"]
    checkpoint = loaders.load(write_opennmt_npz(tmp_path, replace(model, target=target)))
    config = checkpoint.config
    assert (config["bos_token_id"], config["eos_token_id"], config["pad_token_id"]) == (3, 4, None)
    # torchtext gives unknown words the id 0 in every vocabulary
    assert config["unk_token_id"] == 0
    assert checkpoint.vocabularies["target"].ids["</s>"] == 4


def _field(vocab: Call) -> Call:
    return Call(Name("torchtext.data.field", "Field"), (), {"vocab": vocab, "lower": False})


@pytest.mark.parametrize("form", ["lists", "fields", "pairs of fields", "multi-fields"])
def test_every_form_of_vocabularies(tmp_path: Path, form: str) -> None:
    model = opennmt()
    content, storages = opennmt_content(model, legacy=False)
    vocabs = dict(content["vocab"])
    multi = Name("onmt.inputters.text_dataset", "TextMultiField")
    content["vocab"] = {
        "lists": {"src": model.source, "tgt": model.target, "data_task": "seq2seq"},
        "fields": {side: _field(vocab) for side, vocab in vocabs.items()},
        "pairs of fields": {side: [(side, _field(vocab))] for side, vocab in vocabs.items()},
        "multi-fields": {
            side: Call(multi, (), {"fields": [(side, _field(vocab))]})
            for side, vocab in vocabs.items()
        },
    }[form]
    checkpoint = loaders.load(write_zip(tmp_path / "x.pt", content, storages))
    assert checkpoint.vocabularies["source"].tokens == tuple(model.source)
    assert checkpoint.vocabularies["target"].tokens == tuple(model.target)


@pytest.mark.parametrize(
    ("vocab", "error", "message"),
    [
        ({"src": ["a"]}, FormatError, "vocab tgt"),
        (3, FormatError, "vocab is no table"),
        ({"src": 3, "tgt": 3}, FormatError, "vocab src is none"),
        ({"src": [("src", 1), ("src_feat_0", 2)]}, Unsupported, "src has word features, 2 fields"),
        ({"src": ["a", "b"], "tgt": ["<s>", "</s>"]}, FormatError, "has 2 tokens, expected 5"),
    ],
)
def test_vocabularies_that_do_not_fit(
    tmp_path: Path, vocab: Any, error: type[Exception], message: str
) -> None:
    content, storages = opennmt_content(opennmt(), legacy=True)
    content["vocab"] = vocab
    with pytest.raises(error, match=message):
        loaders.load(write_legacy(tmp_path / "x.pt", content, storages))


def test_ids_that_disagree_with_the_list(tmp_path: Path) -> None:
    content, storages = opennmt_content(opennmt(), legacy=True)
    state = {"itos": ["<unk>", "a", "a", "b", "c"], "stoi": {"a": 1, "<unk>": 0}}
    content["vocab"][0] = ("src", Call(Name("torchtext.vocab", "Vocab"), (), state))
    with pytest.raises(FormatError, match="vocab src has 'a' last at 2, but its id is 1"):
        loaders.load(write_legacy(tmp_path / "x.pt", content, storages))
