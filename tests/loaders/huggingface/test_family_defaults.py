"""The defaults of families equal those of transformers' classes of configs."""

from __future__ import annotations

from typing import Any

import pytest

from attnengine.loaders.huggingface.families import FAMILIES

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

# Without these keys transformers sets another key to null.
SWITCHES = {"qwen2": {"use_sliding_window": True}, "qwen3": {"use_sliding_window": True}}
SPELLINGS = {"hidden_activation": "hidden_act"}
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
    config = transformers.AutoConfig.for_model(name, **SWITCHES.get(name, {}))
    theirs = keys(config.get_text_config() if FAMILIES[name].part else config)
    theirs |= {key: not value for key, value in SWITCHES.get(name, {}).items()}
    # null stands for a value that other keys give
    ours = {key: value for key, value in FAMILIES[name].defaults.items() if value is not None}
    assert set(ours) - set(theirs) == EARLIER.get(name, set())
    assert {key: theirs.get(key, value) for key, value in ours.items()} == ours


def keys(config: Any) -> dict[str, Any]:
    """Return keys and values as version 4 of transformers called them."""
    found = config.to_dict()
    found |= {new: found[key] for key, new in SPELLINGS.items() if key in found}
    found |= {"tie_word_embeddings": config.tie_word_embeddings}
    rotary = found.pop("rope_parameters", None) or {}
    local = rotary.get("sliding_attention", {}).get("rope_theta")
    found |= {"rope_local_base_freq": local, "local_rope_theta": local}
    rotary = rotary.get("full_attention", rotary)
    found |= {"global_rope_theta": rotary.get("rope_theta")}
    return found | {
        key: rotary[key] for key in ("rope_theta", "partial_rotary_factor") if key in rotary
    }
