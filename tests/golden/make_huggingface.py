"""Writes huggingface/*.json: outputs of tiny models in transformers, in float64.

    python -m tests.golden.make_huggingface [FAMILY ...]

Each variant gets logits, or states of an encoder, of prompts of 1, 7 and 40 tokens, with 7
digits. For 40 tokens two rows are stored. Decoders also get 20 greedy tokens. The seed is the
first one that gives each greedy token a margin of 0.01 (100 times our error) and 6 different
tokens.
"""

from __future__ import annotations

import itertools
import json
import sys
from typing import Any

import numpy as np
import torch
import transformers

from tests.golden.families import FAMILIES
from tests.golden.families.family import Family
from tests.golden.huggingface import FOLDER, frames, weights

COMPACT = (",", ":")
GAP, DIFFERENT = 0.01, 6


def peer(family: Family, config: dict[str, Any]) -> Any:
    """The model in transformers."""
    config_class = getattr(transformers, family.config_class)
    model_class = getattr(transformers, family.model_class)
    given = config_class(**family.options(config), attn_implementation=family.attention)
    module = model_class(given)
    if config.get("tie_word_embeddings") is False:  # T5's models ignore the key
        head = module.get_output_embeddings()
        head.weight = torch.nn.Parameter(head.weight.detach().clone())
    return module.eval()


def tensors(family: Family, module: Any) -> dict[str, Any]:
    """The tensors of a checkpoint: parameters, tied ones once, and Marian's output bias."""
    found = {
        family.prefix + name: tensor.data
        for name, tensor in module.named_parameters()
        if family.derived is None or family.derived not in name
    }
    bias = getattr(module, "final_logits_bias", None)
    return found if bias is None else found | {"final_logits_bias": bias}


def outputs(module: Any, ids: list[int], source: list[int] | None) -> Any:
    """Logits (tokens, vocab_size) without a cache, or an encoder's states (tokens, hidden_size)."""
    inputs = {"input_ids": torch.tensor([ids])}
    if module.config.model_type == "whisper":
        config = module.config
        heard = frames(source or [], 2 * config.max_source_positions, config.num_mel_bins)
        features = torch.from_numpy(heard.T[None]).double()
        inputs = {"input_features": features, "decoder_input_ids": torch.tensor([ids])}
    elif source is not None:
        inputs = {"input_ids": torch.tensor([source]), "decoder_input_ids": torch.tensor([ids])}
    with torch.no_grad():
        found = module(**inputs)
    return (found.logits if "logits" in found else found.last_hidden_state)[0].numpy()


def greedy(module: Any, ids: list[int], source: list[int] | None) -> tuple[list[int], float]:
    """20 greedy tokens, and the smallest gap between the best and the second-best token."""
    found, gap = list[int](), np.inf
    for _ in range(20):
        last = outputs(module, ids + found, source)[-1]
        second, best = np.argsort(last)[-2:]
        found.append(int(best))
        gap = min(gap, float(last[best] - last[second]))
    return found, gap


def prompts(module: Any, config: dict[str, Any], with_source: bool) -> list[dict[str, Any]]:
    """Prompts of 1, 7 and 40 tokens, sources of the same lengths, and rows of their outputs."""
    rng, made = np.random.default_rng(0), []
    for length, rows in ((1, [0]), (7, [6]), (40, [19, 39])):
        limit = config.get("vocab_size", config.get("target_vocab_size"))
        ids = [int(i) for i in rng.integers(0, limit, length)]
        case: dict[str, Any] = {"ids": ids, "rows": rows}
        if with_source:
            limit = config.get("source_vocab_size", limit)
            case["source"] = [int(i) for i in rng.integers(0, limit, length)]
        case["outputs"] = digits(outputs(module, ids, case.get("source"))[rows])
        made.append(case)
    return made


def digits(values: Any) -> list[list[float]]:
    """Values rounded to 7 significant digits."""
    return [[float(f"{x:.7g}") for x in row] for row in values]


def filled(family: Family, config: dict[str, Any], seed: int) -> tuple[Any, dict[str, list[int]]]:
    """A model in float64 with the weights of a seed, and the shapes of the weights."""
    module = peer(family, config)
    found = tensors(family, module)
    shapes = {name: list(tensor.shape) for name, tensor in found.items()}
    for name, values in weights(shapes, seed).items():
        found[name].copy_(torch.from_numpy(values))
    return module.double(), shapes


def searched(module: Any, made: list[dict[str, Any]], with_source: bool) -> dict[str, Any] | None:
    """20 greedy tokens after a prompt if their margins are large and enough of them differ."""
    ids, source = ([0], made[1]["source"]) if with_source else (made[1]["ids"], None)
    tokens, gap = greedy(module, ids, source)
    if gap < GAP or len(set(tokens)) < DIFFERENT:
        return None
    return {"ids": ids, "tokens": tokens} | ({"source": source} if source else {})


def make(name: str, family: Family, config: dict[str, Any]) -> dict[str, Any]:
    """The golden case of a config."""
    with_source = family.kind in ("seq2seq", "speech")
    for seed in itertools.count():
        module, shapes = filled(family, config, seed)
        made = prompts(module, config, with_source)
        case = {"config": {"architecture": name, **config}, "seed": seed}
        case |= {"shapes": shapes, "prompts": made}
        if family.kind == "encoder":
            return case
        if found := searched(module, made, with_source):
            return case | {"greedy": found}
    raise AssertionError  # the sequence of seeds is endless


def main() -> None:
    torch.set_num_threads(1)
    for name in sys.argv[1:] or FAMILIES:
        family = FAMILIES[name]
        made = {
            variant: make(name, family, {**family.base, **changes})
            for variant, changes in family.variants.items()
        }
        lines = ",\n".join(
            f"{json.dumps(variant)}: {json.dumps(case, separators=COMPACT)}"
            for variant, case in made.items()
        )
        (FOLDER / f"{name}.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
