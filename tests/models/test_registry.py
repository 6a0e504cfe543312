from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.checkpoint import Tensor
from attnengine.models import build, registry
from attnengine.reference.random_weights import random_weights
from tests.models.configs import RNN_LM, RNN_SEQ2SEQ, TRANSFORMER


def test_a_missing_weight_is_named() -> None:
    weights = random_weights(RNN_LM, 0)
    del weights["rnn.weight_hh_l1"]
    with pytest.raises(FormatError, match=r"weight 'rnn.weight_hh_l1' is missing"):
        build(RNN_LM, weights)


def test_a_left_over_weight_is_named() -> None:
    weights = random_weights(RNN_LM, 0) | {"rnn.weight_ih_l2": np.zeros((40, 10))}
    with pytest.raises(FormatError, match=r"left over.*'rnn.weight_ih_l2'"):
        build(RNN_LM, weights)


def test_a_wrong_shape_is_named_as_the_file_spells_it() -> None:
    weights = random_weights(RNN_LM, 0)
    tensors = {name: Tensor.of(f"file.{name}", w) for name, w in weights.items()}
    build(RNN_LM, tensors)
    tensors["output.bias"] = Tensor.of("file.out", np.zeros(12))
    message = r"'output.bias' \('file.out' in the file\) has shape \(12,\), expected \(13,\)"
    with pytest.raises(FormatError, match=message):
        build(RNN_LM, tensors)


def test_keys_are_checked() -> None:
    weights = random_weights(RNN_LM, 0)
    with pytest.raises(FormatError, match="'dropout' is no key of 'rnn_lm'"):
        build(RNN_LM | {"dropout": 0.1}, weights)
    with pytest.raises(FormatError, match="'cell' is missing"):
        build({k: v for k, v in RNN_LM.items() if k != "cell"}, weights)
    with pytest.raises(FormatError, match="'vocab_size' is '13', expected an integer"):
        build(RNN_LM | {"vocab_size": "13"}, weights)
    with pytest.raises(FormatError, match="'num_layers' is True, expected an integer"):
        build(RNN_LM | {"num_layers": True}, weights)


def test_sizes_that_the_file_cannot_hold_allocate_nothing() -> None:
    with pytest.raises(FormatError, match=r"weight 'rnn.weight_ih_l2' is missing"):
        build(RNN_LM | {"num_layers": 2**31 - 1}, random_weights(RNN_LM, 0))
    with pytest.raises(FormatError, match="'max_positions' is 2147483647 with 'hidden_size' 12"):
        build(TRANSFORMER | {"max_positions": 2**31 - 1}, random_weights(TRANSFORMER, 0))


def test_layers_that_do_not_fit_each_other_are_the_configs_fault() -> None:
    config = RNN_SEQ2SEQ | {"decoder_num_layers": 1}
    with pytest.raises(FormatError, match="config: number of encoder layers for this bridge is 2"):
        build(config, random_weights(config, 0))


def test_an_unknown_architecture_lists_the_known() -> None:
    with pytest.raises(Unsupported, match="architecture is 'mamba', expected one of "):
        build({"architecture": "mamba"}, {})
    with pytest.raises(Unsupported, match=r"architecture is \['rnn_lm'\], expected one of"):
        build({"architecture": ["rnn_lm"]}, {})


def test_the_file_of_an_architecture_has_its_name() -> None:
    files = registry._families()
    assert [name for name in registry.known() if name.replace("-", "_") not in files] == []


def test_a_build_imports_its_own_family_alone() -> None:
    code = """
import sys
from attnengine import errors, models
try:
    models.build({"architecture": "mistral"}, {})
except errors.FormatError:
    print(*(name for name in sys.modules if name.startswith("attnengine.models.decoders.")))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = {name.rpartition(".")[2] for name in found.stdout.split()}
    assert names == {"mistral", "llama_like"}
