"""Tiny models of Hugging Face's families: weights by a rule, and our outputs of a golden case.

``make_huggingface.py`` writes a golden file huggingface/FAMILY.json. It holds for each variant the
config, the names and shapes of the weights, and outputs of transformers in float64. Our outputs
differ by at most 4e-5 where logits reach 11; docs/parity.md has the table.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.models import build

FOLDER = Path(__file__).parent / "huggingface"

LAST_NORMS = tuple(
    f"{name}.weight"
    for name in (
        "decoder.layer_norm",
        "final_layer_norm",
        "final_layernorm",
        "ln_f",
        "model.norm",
        "norm_f",
    )
)
Case = dict[str, Any]
Floats = NDArray[np.float32]


def weights(shapes: Mapping[str, Any], seed: int) -> dict[str, Floats]:
    """Uniformly distributed weights, each a function of its name, its shape and the seed.

    NumPy guarantees that the bits of PCG64, from which they are made, do not change.
    """
    values = {}
    for name, shape in shapes.items():
        bits = np.random.PCG64([seed, zlib.crc32(name.encode())]).random_raw(math.prod(shape))
        uniform = (bits >> np.uint64(11)) * 2.0**-52 - 1  # -1 to 1, standard deviation 3 ** -0.5
        centre, deviation = distribution(name, shape)
        values[name] = (centre + deviation * math.sqrt(3) * uniform).astype(np.float32)
    return {name: w.reshape(tuple(shapes[name])) for name, w in values.items()}


def distribution(name: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """Centre and standard deviation of a weight.

    They are chosen so that greedy search does not repeat one token. The last norms have weights
    of both signs; otherwise a tied output layer would prefer the token just read. Blocks of
    post-norm layers add less than they read; otherwise all tokens would look alike after a few
    layers.
    """
    if name.endswith(LAST_NORMS):
        return 0.0, 1.0
    if len(shape) == 1 or name == "final_logits_bias":
        return (1.0 if name.endswith("weight") else 0.0), 0.1  # weight or bias of a norm
    if any(part in name for part in ("embed", "shared", "wte", "wpe", "lm_head")):
        return 0.0, 0.5
    small = "out_proj.weight", "fc2.weight", "Attention.q.weight"  # T5 does not scale queries
    gain = 0.5 if name.endswith(small) else 2.0
    return 0.0, gain / math.sqrt(min(shape[-2:]))  # a first axis stacks experts


def cases(family: str) -> dict[str, Case]:
    """Variant -> golden case of a family."""
    golden: dict[str, Case] = json.loads((FOLDER / f"{family}.json").read_text(encoding="utf-8"))
    return golden


def model(case: Case) -> Any:
    """Our model of a golden case."""
    return build(case["config"], weights(case["shapes"], case["seed"]))


def frames(source: list[int], length: int, num_mels: int) -> Floats:
    """Frames (length, num_mels) that stand in for speech: one for each id, then silence."""
    sounds = weights({"sounds": (max(source) + 1, num_mels)}, 0)["sounds"]
    return np.concatenate([sounds[source], np.zeros((length - len(source), num_mels), np.float32)])


def start(decoder: Any, source: list[int] | None) -> tuple[_core.State, NDArray[np.int32]]:
    """A state with one sequence; encoder-decoders encode the source first."""
    state = decoder.new_state()
    if source is None:
        return state, state.add(1)
    if isinstance(decoder, _core.SpeechSeq2Seq):
        rows = frames(source, decoder.max_frames, decoder.num_mels)
        return state, state.add(decoder.encode(rows, [len(rows)]))
    return state, state.add(decoder.encode(source, [len(source)]))


def uncached(model: Any, prompt: list[int], source: list[int] | None) -> Floats:
    """Logits (tokens, vocab_size) of a prompt in one step, or the states of an encoder."""
    if isinstance(model, _core.Encoder):
        return model.hidden_states(prompt, [len(prompt)])
    state, sequence = start(model, source)
    logits: Floats = model.step(prompt, np.repeat(sequence, len(prompt)), state).copy()
    return logits


def cached(decoder: Any, prompt: list[int], source: list[int] | None) -> Floats:
    """Logits (tokens, vocab_size) of a prompt, one step per token."""
    state, sequence = start(decoder, source)
    return np.stack([decoder.step([token], sequence, state)[0].copy() for token in prompt])


def difference(case: Case, model: Any) -> tuple[float, float]:
    """The largest |ours - theirs|, and the largest |ours - theirs| / (2e-4 + 1e-4 |theirs|)."""
    largest = share = 0.0
    for prompt in case["prompts"]:
        found = uncached(model, prompt["ids"], prompt.get("source"))
        expected = np.array(prompt["outputs"])  # (rows, vocab_size or hidden_size)
        distance = np.abs(found[prompt["rows"]] - expected)
        largest = max(largest, distance.max())
        share = max(share, (distance / (2e-4 + 1e-4 * np.abs(expected))).max())
    return float(largest), float(share)


def greedy(case: Case, decoder: Any) -> list[int]:
    """The greedy tokens, the same number as in the golden case, computed with the cache."""
    search = case["greedy"]
    state, sequence = start(decoder, search.get("source"))
    prompt, found = search["ids"], list[int]()
    logits = decoder.step(prompt, np.repeat(sequence, len(prompt)), state)[-1]
    for _ in search["tokens"]:
        found.append(int(logits.argmax()))
        logits = decoder.step(found[-1:], sequence, state)[-1]
    return found
