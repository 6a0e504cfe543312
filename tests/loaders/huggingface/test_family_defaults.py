"""The defaults of families equal those of transformers' classes of configs."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from attnengine.loaders.huggingface.families import FAMILIES
from attnengine.models import registry

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

SPELLINGS = {"hidden_activation": "hidden_act"}
# A config may lack these keys: the classes then work them out from others.
DERIVED = {"head_dim", "dense_act_fn", "is_gated_act", "scale_decoder_outputs"}
# Keys of earlier versions of transformers, which the classes of version 5 have no more.
EARLIER = {
    "cohere2": {"sliding_window_pattern", "use_qk_norm"},
    "gemma3": {"sliding_window_pattern"},
    "gemma3_text": {"sliding_window_pattern"},
    "mpt": {"alibi_bias_max"},  # of its attn_config
    "t5": {"decoder_start_token_id"},  # T5's published files have it
}


@pytest.mark.parametrize("name", FAMILIES)
def test_defaults(name: str) -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.AutoConfig.for_model(name)
    config = config.get_text_config() if FAMILIES[name].part else config
    declared, built, wrong = declared_defaults(config), built_values(config), {}
    defaults = FAMILIES[name].defaults
    for key, ours in defaults.items():
        theirs = declared.get(key) if key in {*declared, *DERIVED} else built.get(key)
        if ours != theirs and (theirs is not None or ours != built.get(key, ours)):
            wrong[key] = (ours, theirs, built.get(key))
    assert wrong == {}
    values = {key for key, value in defaults.items() if value is not None}
    assert values - set(declared) - set(built) == EARLIER.get(name, set())
    keys = dataclasses.fields(registry.config_class(FAMILIES[name].architecture or name))
    optional = {key.name for key in keys if key.default is not dataclasses.MISSING}
    assert optional & {*declared, *built} <= set(defaults)


def declared_defaults(config: Any) -> dict[str, Any]:
    """Return the defaults that a class of configs declares, before it works out others."""
    found = {key: getattr(type(config), key) for key in dir(type(config)) if key[0] != "_"}
    return {
        key: value
        for key, value in found.items()
        if not callable(value) and not isinstance(value, property)
    }


def built_values(config: Any) -> dict[str, Any]:
    """Return keys and values as version 4 of transformers called them."""
    found = config.to_dict()
    found |= {earlier: found[key] for key, earlier in SPELLINGS.items() if key in found}
    found |= {"tie_word_embeddings": config.tie_word_embeddings}
    rotary = found.pop("rope_parameters", None) or {}
    local = rotary.get("sliding_attention", {}).get("rope_theta")
    found |= {"rope_local_base_freq": local, "local_rope_theta": local}
    rotary = rotary.get("full_attention", rotary)
    found |= {"global_rope_theta": rotary.get("rope_theta")}
    return found | {
        key: rotary[key] for key in ("rope_theta", "partial_rotary_factor") if key in rotary
    }
