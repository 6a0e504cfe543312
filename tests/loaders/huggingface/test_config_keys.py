"""Keys of config.json that say nothing about what a model computes, and keys that may."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import pytest

import attnengine as ae
from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema
from attnengine.loaders.huggingface.config import normalised
from attnengine.loaders.huggingface.families import FAMILIES
from attnengine.models import registry
from tests.loaders.huggingface.huggingface_files import config_of, write_llama

FILE = Path("config.json")
# As published models have them, with values that are neither null nor false nor empty.
HARMLESS: dict[str, Any] = {
    "_flash_attn_2_enabled": True,
    "adapters": {"adapters": {}, "config_map": {}},
    "attn_pdrop": 0.1,
    "classifier_dropout": 0.1,
    "eos_token_ids": 0,
    "finetuning_task": "sst-2",
    "image_token_index": 32000,
    "init_method_std": 0.02,
    "is_llama_config": True,
    "model_max_length": 131072,
    "output_past": True,
    "pooler_fc_size": 768,
    "pooler_type": "first_token_transform",
    "router_aux_loss_coef": 0.02,
    "summary_type": "cls_index",
    "temperature": 0.6,
    "tokenizer_class": "PreTrainedTokenizerFast",
    "transformers.js_config": {"kv_cache_dtype": {"q4f16": "float16"}},
    "unsloth_fixed": True,
    "unsloth_version": "2024.9",
    "xla_device": True,
}
EMPTY: dict[str, Any] = {
    "cross_attention_hidden_size": None,
    "pruned_heads": {},
    "rope_interleaved": False,
    "some_list": [],
    "some_text": "",
    "use_mrope": False,
}
MULTIPLIED = {"prefix_multiplier": 2.0}


@pytest.mark.parametrize("name", FAMILIES)
def test_keys_that_say_nothing(name: str) -> None:
    given = {"model_type": name}
    bare = normalised(FILE, given, FAMILIES[name])
    assert normalised(FILE, given | HARMLESS | EMPTY, FAMILIES[name]) == bare
    assert normalised(FILE, given | MULTIPLIED, FAMILIES[name]) == bare | MULTIPLIED


def test_unknown_keys_without_a_value_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="attnengine"):
        normalised(FILE, {"model_type": "llama", **EMPTY, **HARMLESS}, FAMILIES["llama"])
    assert [record.getMessage() for record in caplog.records] == [
        f"config.json: {key} is {value!r} and is not read" for key, value in EMPTY.items()
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_hidden_layer": 3}, "'num_hidden_layer' is no key of 'llama', did you mean 'num_hid"),
        ({"rope_interleaved": True}, "'rope_interleaved' is no key of 'llama'.*docs/models.md"),
        ({"embedding_multiplier": 12.0}, "'embedding_multiplier' is no key of 'llama'"),
    ],
)
def test_an_unknown_key_that_may_change_the_numbers(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    write_llama(tmp_path, **changes)
    with pytest.raises(FormatError, match=message):
        ae.load(tmp_path)


def test_keys_that_only_our_configs_read(tmp_path: Path) -> None:
    """Llama 1 has max_sequence_length; what other software means by these keys is unknown."""
    write_llama(tmp_path, max_sequence_length=7, pooling=3, languages={}, architecture="x")
    config = config_of(tmp_path)
    assert config["architecture"] == "llama"
    assert not config.keys() & {"max_sequence_length", "pooling", "languages"}


@pytest.mark.parametrize("key", ["quantization_config", "quantization", "compression_config"])
def test_quantized_weights_are_refused(key: str) -> None:
    with pytest.raises(Unsupported, match=f"{key} is .*bits.*expected weights as floats"):
        normalised(FILE, {"model_type": "llama", key: {"bits": 4}}, FAMILIES["llama"])


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FAMILIES)
def test_every_key_of_transformers(name: str) -> None:
    """A config with nothing but the defaults of transformers' class is read whole."""
    transformers = pytest.importorskip("transformers")
    config = transformers.AutoConfig.for_model(name)
    config = config.get_text_config() if FAMILIES[name].part else config
    given = {"model_type": name, **config.to_dict()}

    found = normalised(FILE, given, FAMILIES[name])

    read = registry.config_class(FAMILIES[name].architecture or name)
    known = {field.name for field in dataclasses.fields(read)}
    assert found.keys() - known - schema.TOKEN_KEYS == set()
