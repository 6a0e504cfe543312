from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from attnengine.errors import FormatError, InvalidArgument, Unsupported
from attnengine.models import build
from attnengine.models.parts.rotary import rotary
from attnengine.reference.decoder_only import DecoderOnly
from attnengine.reference.random_weights import random_weights
from tests.models.checks import (
    TARGETS,
    check_decoder,
    check_long,
    check_same_bits,
    model,
    start,
    weights64,
)
from tests.models.configs import LLAMA, SCALINGS


def check(config: dict[str, Any]) -> None:
    reference = DecoderOnly(config, weights64(config))
    check_decoder(model(config), lambda i: reference.logits(TARGETS[i]))


@pytest.mark.parametrize("kv_heads", [1, 2, 4, None])
@pytest.mark.parametrize("head_dim", [None, 10])
@pytest.mark.parametrize("tied", [False, True])
def test_heads_and_output(kv_heads: int | None, head_dim: int | None, tied: bool) -> None:
    check(
        LLAMA | {"num_key_value_heads": kv_heads, "head_dim": head_dim, "tie_word_embeddings": tied}
    )


@pytest.mark.parametrize("attention_bias", [False, True])
@pytest.mark.parametrize("mlp_bias", [False, True])
def test_biases(attention_bias: bool, mlp_bias: bool) -> None:
    check(LLAMA | {"attention_bias": attention_bias, "mlp_bias": mlp_bias})


@pytest.mark.parametrize("activation", ["silu", "swish", "gelu", "gelu_pytorch_tanh", "relu"])
def test_activations(activation: str) -> None:
    check(LLAMA | {"hidden_act": activation})


@pytest.mark.parametrize("scaling", SCALINGS)
def test_long_sequences_with_every_scaling(scaling: str) -> None:
    config = LLAMA | {"rope_scaling": SCALINGS[scaling]}
    check_long(model(config), DecoderOnly(config, weights64(config)).logits)


def test_scalings_differ() -> None:
    logits = []
    for scaling in ("none", "linear", "llama3", "yarn", "yarn, own factor", "yarn, mscale"):
        decoder = model(LLAMA | {"rope_scaling": SCALINGS[scaling]})
        state, sequence = start(decoder, 1)
        logits.append(decoder.step(range(13), np.repeat(sequence, 13), state)[-1].copy())
    for one, other in itertools.combinations(logits, 2):
        assert np.abs(one - other).max() > 0.01


def test_same_bits_in_any_company() -> None:
    # large enough that two threads share the work
    check_same_bits(
        model(
            LLAMA
            | {
                "vocab_size": 500,
                "hidden_size": 256,
                "intermediate_size": 688,
                "num_attention_heads": 8,
            }
        )
    )


LONGROPE = {
    "rope_type": "longrope",
    "short_factor": [1.0, 1.5, 2.0],  # one for each frequency of a head
    "long_factor": [1.0, 3.0, 9.0],
    "original_max_position_embeddings": 140,
    "attention_factor": 1.25,
}


def test_longrope_is_that_of_short_sequences() -> None:
    config = LLAMA | {"rope_scaling": LONGROPE, "max_position_embeddings": 600}
    check_long(model(config), DecoderOnly(config, weights64(config)).logits)


def test_sequences_end_where_longrope_would_turn_them_otherwise() -> None:
    assert model(LLAMA | {"rope_scaling": LONGROPE}).max_positions == 140
    same = LONGROPE | {"long_factor": LONGROPE["short_factor"]}
    assert model(LLAMA | {"rope_scaling": same}).max_positions == 150
    rotary(6, 1e4, same, 150)
    with pytest.raises(Unsupported, match="'longrope', which this family lacks"):
        rotary(6, 1e4, LONGROPE, 150)


DYNAMIC = LLAMA | {
    "rope_scaling": {"rope_type": "dynamic", "factor": 2.5},
    "max_position_embeddings": 60,  # as trained
}


def test_dynamic_positions_past_the_trained_ones() -> None:
    check_long(model(DYNAMIC), DecoderOnly(DYNAMIC, weights64(DYNAMIC)).logits)
    assert model(DYNAMIC).max_positions == 150


def test_dynamic_positions_have_the_same_bits_in_any_company() -> None:
    check_same_bits(model(DYNAMIC | {"max_position_embeddings": 20}))


def test_positions_are_limited() -> None:
    decoder = model(LLAMA | {"max_position_embeddings": 4})
    state, sequence = start(decoder, 1)
    with pytest.raises(InvalidArgument, match="would have 5 tokens, expected at most 4"):
        decoder.step(range(5), np.repeat(sequence, 5), state)


def test_an_unknown_switch_is_refused() -> None:
    with pytest.raises(FormatError, match="'partial_rotary_factor' is no key of 'llama'"):
        build(LLAMA | {"partial_rotary_factor": 0.5}, random_weights(LLAMA, 0))


@pytest.mark.parametrize("key", ["attention_bias", "mlp_bias"])
def test_biases_are_there_when_the_config_says_so(key: str) -> None:
    weights = {k: w for k, w in random_weights(LLAMA, 0).items() if not k.endswith(".bias")}
    build(LLAMA | {"attention_bias": False, "mlp_bias": False}, weights)
    with pytest.raises(FormatError, match=r"weight 'model\.layers\.0\..*\.bias' is missing"):
        build(LLAMA | {"attention_bias": False, "mlp_bias": False} | {key: True}, weights)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_key_value_heads": 3}, "3 key/value heads, expected a divisor of 4"),
        ({"num_attention_heads": 8, "num_key_value_heads": 3}, "3 key/value heads, expected"),
        (
            {"num_attention_heads": 5, "num_key_value_heads": 5},
            "'num_attention_heads' is 5, expected a divisor of the hidden size 24",
        ),
        ({"hidden_act": "mish"}, "'hidden_act' is 'mish', expected one of"),
        ({"rms_norm_eps": 0.0}, "'rms_norm_eps' is 0.0, expected a number above 0"),
        ({"rope_scaling": {"rope_type": "linear"}}, "factor None, expected a number above 0"),
        ({"rope_scaling": {"rope_type": "linear", "factor": "2"}}, "factor '2'"),
        ({"rope_scaling": {"rope_type": "linear", "factor": True}}, "factor True"),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 0}}, "factor 0, expected"),
        ({"rope_scaling": {"rope_type": "linear", "factor": 10**400}}, "factor 1000"),
        ({"rope_scaling": 2.0}, "'rope_scaling' is 2.0, expected"),
        (
            {"rope_scaling": LONGROPE | {"short_factor": [1.0]}},
            r"short_factor \[1.0\], expected a list of 3",
        ),
        (
            {"rope_scaling": LONGROPE | {"original_max_position_embeddings": 0.5}},
            "original_max_position_embeddings 0.5, expected a number above 1",
        ),
        ({"rope_scaling": LONGROPE | {"long_factor": None}}, "long_factor None, expected a list"),
        ({"rope_scaling": LONGROPE | {"long_factor": [1, 2, "3"]}}, "long_factor '3', expected"),
        ({"rope_scaling": SCALINGS["yarn, mscale"] | {"truncate": 1}}, "truncate 1, expected true"),
        ({"rope_scaling": SCALINGS["yarn, mscale"] | {"mscale": 0}}, "mscale 0, expected a number"),
        (
            {"rope_scaling": SCALINGS["llama3"] | {"high_freq_factor": 1.0}},
            "low_freq_factor 1.0, expected less than high_freq_factor 1.0",
        ),
        ({"rope_scaling": SCALINGS["yarn"], "rope_theta": 1.0}, "give no frequencies"),
        ({"rope_scaling": SCALINGS["yarn"] | {"beta_fast": 1e308}}, "give no frequencies"),
        ({"rope_theta": 1e-300}, "give no frequencies"),
        ({"rope_theta": 10**400}, "'rope_theta' is 1000"),
        ({"head_dim": 7}, "a head has 7 dimensions, expected an even number of at most 65536"),
        ({"head_dim": 2**31 - 2}, "a head has 2147483646 dimensions"),
        ({"head_dim": 0}, "'head_dim' is 0, expected an integer, 1 or more"),
        ({"num_key_value_heads": 0}, "'num_key_value_heads' is 0, expected an integer, 1 or more"),
        ({"num_hidden_layers": 2**31 - 1}, r"'model\.layers\.2\..*' is missing"),
    ],
)
def test_bad_configs(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        build(LLAMA | changes, random_weights(LLAMA, 0))


@pytest.mark.parametrize(
    "missing", ["factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"]
)
def test_a_number_of_a_scaling_is_missing(missing: str) -> None:
    scaling = dict(SCALINGS["llama3"] or {})
    del scaling[missing]
    with pytest.raises(FormatError, match=f"{missing} None, expected a number above 0"):
        build(LLAMA | {"rope_scaling": scaling}, random_weights(LLAMA, 0))


@pytest.mark.parametrize("kind", ["ntk", "su", None, 1])
def test_an_unknown_scaling(kind: Any) -> None:
    scaling = {"rope_type": kind, "factor": 2.0}
    with pytest.raises(Unsupported, match=f"rope_type {kind!r}, expected one of default, dynamic"):
        build(LLAMA | {"rope_scaling": scaling}, random_weights(LLAMA, 0))


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("yarn", "short_factor"),
        ("llama3", "mscale"),
        ("default", "mrope_section"),
        ("linear", "attention_factor"),
        ("llama3", "beta_fast"),
    ],
)
def test_a_key_of_a_scaling_that_it_has_not(kind: str, key: str) -> None:
    scaling = dict(SCALINGS[kind] or {})
    weights = random_weights(LLAMA, 0)
    build(LLAMA | {"rope_scaling": scaling | {key: None}}, weights)
    with pytest.raises(Unsupported, match=f"'{key}', .* lacks for rope_type '{kind}'"):
        build(LLAMA | {"rope_scaling": scaling | {key: 1.0}}, weights)


def test_null_in_a_scaling_is_as_absent() -> None:
    scaling = dict(SCALINGS["yarn"] or {})
    logits = []
    for nulls in ({}, {"attention_factor": None, "beta_fast": None, "beta_slow": None}):
        decoder = model(LLAMA | {"rope_scaling": scaling | nulls})
        state, sequence = start(decoder, 1)
        logits.append(decoder.step(range(13), np.repeat(sequence, 13), state).copy())
    np.testing.assert_array_equal(*logits)


def test_long_maximum_takes_no_memory() -> None:
    decoder = model(LLAMA | {"max_position_embeddings": 2**31 - 1})
    state, sequence = start(decoder, 1)
    assert decoder.max_positions == 2**31 - 1
    assert decoder.step([1], sequence, state).shape == (1, 13)


def test_a_language_model_has_no_attention_to_keep() -> None:
    decoder = model(LLAMA)
    state, sequence = start(decoder, 1)
    state.keep_alignment = True
    decoder.step([1], sequence, state)
    with pytest.raises(InvalidArgument, match="kept no attention weights"):
        _ = state.attention


def test_a_missing_key_and_a_missing_weight() -> None:
    weights = random_weights(LLAMA, 0)
    with pytest.raises(FormatError, match="'rms_norm_eps' is missing"):
        build({key: LLAMA[key] for key in LLAMA if key != "rms_norm_eps"}, weights)
    del weights["model.layers.1.mlp.up_proj.weight"]
    with pytest.raises(FormatError, match=r"'model\.layers\.1\.mlp\.up_proj\.weight' is missing"):
        build(LLAMA, weights)
