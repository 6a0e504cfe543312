"""Writes huggingface/*.json: outputs of tiny models in transformers, eager and in float64.

    python -m tests.golden.make_huggingface

For each variant: logits of prompts of 1, 7 and 40 tokens (for 40 two rows), 7 digits; and
20 greedy tokens. The seed is the first with which each of these is the best by at least 0.01 (a
hundred times our error) and 6 of them differ.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import torch
import transformers

from tests.golden.huggingface import FOLDER, weights
from tests.models.configs import SCALINGS

VOCAB = 60
COMPACT = (",", ":")
GAP, DIFFERENT = 0.01, 6

LLAMA: dict[str, Any] = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10_000.0,
    "tie_word_embeddings": False,
}
GPT2: dict[str, Any] = {
    "vocab_size": VOCAB,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 64,
}
MARIAN: dict[str, Any] = {
    "source_vocab_size": VOCAB,
    "target_vocab_size": VOCAB,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "max_position_embeddings": 64,
    "activation_function": "swish",
    "scale_embedding": True,
    "share_encoder_decoder_embeddings": True,
}
VARIANTS: dict[str, tuple[dict[str, Any], dict[str, dict[str, Any]]]] = {
    "llama": (
        LLAMA,
        {
            "plain": {},
            **{
                f"rope {name}": {"rope_scaling": scaling}
                for name, scaling in SCALINGS.items()
                if name not in ("none", "default")
            },
            "rope theta 500000": {"rope_theta": 5e5},
            "1 key/value head": {"num_key_value_heads": 1},
            "4 key/value heads": {"num_key_value_heads": 4},
            "head_dim 12": {"head_dim": 12},
            "biases": {"attention_bias": True, "mlp_bias": True},
            "tied": {"tie_word_embeddings": True},
            "gelu": {"hidden_act": "gelu"},
        },
    ),
    "qwen2": (
        LLAMA | {"rope_theta": 1e6},
        {
            "plain": {},
            "tied": {"tie_word_embeddings": True},
            "rope yarn": {"rope_scaling": SCALINGS["yarn"]},
            "1 key/value head": {"num_key_value_heads": 1},
        },
    ),
    "gpt2": (
        GPT2,
        {
            "plain": {},
            "untied": {"tie_word_embeddings": False},
            "n_inner 40": {"n_inner": 40},
            "relu, epsilon 0.001": {"activation_function": "relu", "layer_norm_epsilon": 1e-3},
            "gelu": {"activation_function": "gelu"},
        },
    ),
    "marian": (
        MARIAN,
        {
            "plain": {},
            "separate vocabularies": {
                "source_vocab_size": 50,
                "share_encoder_decoder_embeddings": False,
            },
            "sides differ": {
                "encoder_layers": 1,
                "decoder_attention_heads": 2,
                "decoder_ffn_dim": 40,
            },
            "separate vocabularies, untied": {
                "target_vocab_size": 50,
                "share_encoder_decoder_embeddings": False,
                "tie_word_embeddings": False,
            },
            "relu, not scaled": {"activation_function": "relu", "scale_embedding": False},
            "gelu": {"activation_function": "gelu"},
        },
    ),
}
CLASSES = {
    "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
    "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM),
    "gpt2": (transformers.GPT2Config, transformers.GPT2LMHeadModel),
    "marian": (transformers.MarianConfig, transformers.MarianMTModel),
}


def peer(family: str, config: dict[str, Any]) -> Any:
    """A model of transformers."""
    options = dict(config)
    if family in ("llama", "qwen2"):
        scaling = options.pop("rope_scaling", None) or {"rope_type": "default"}
        options["rope_parameters"] = scaling | {"rope_theta": options.pop("rope_theta")}
    if family == "marian":
        options["vocab_size"] = options.pop("source_vocab_size")
        options["decoder_vocab_size"] = options.pop("target_vocab_size")
        options |= {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}
    config_class, model_class = CLASSES[family]
    return model_class(config_class(**options, attn_implementation="eager")).eval()


def tensors(module: Any) -> dict[str, Any]:
    """What a checkpoint holds: parameters, tied ones once, no sinusoids; Marian's last bias."""
    found = {
        name: tensor.data
        for name, tensor in module.named_parameters()
        if "embed_positions" not in name
    }
    bias = getattr(module, "final_logits_bias", None)
    return found if bias is None else found | {"final_logits_bias": bias}


def logits(module: Any, ids: list[int], source: list[int] | None) -> Any:
    """(tokens, vocab_size) in float64, without a cache."""
    inputs = {"input_ids": torch.tensor([ids])}
    if source is not None:
        inputs = {"input_ids": torch.tensor([source]), "decoder_input_ids": torch.tensor([ids])}
    with torch.no_grad():
        return module(**inputs, use_cache=False).logits[0].numpy()


def greedy(module: Any, ids: list[int], source: list[int] | None) -> tuple[list[int], float]:
    """20 best tokens, and the smallest gap to the second best."""
    found, gap = list[int](), np.inf
    for _ in range(20):
        last = logits(module, ids + found, source)[-1]
        second, best = np.argsort(last)[-2:]
        found.append(int(best))
        gap = min(gap, float(last[best] - last[second]))
    return found, gap


def digits(values: Any) -> list[list[float]]:
    """7 significant digits."""
    return [[float(f"{x:.7g}") for x in row] for row in values]


def prompts(module: Any, config: dict[str, Any], with_source: bool) -> list[dict[str, Any]]:
    """Prompts of 1, 7 and 40 tokens, sources as long, and some rows of their logits."""
    rng, made = np.random.default_rng(0), []
    for length, rows in ((1, [0]), (7, [6]), (40, [19, 39])):
        limit = config.get("vocab_size", config.get("target_vocab_size"))
        ids = [int(i) for i in rng.integers(0, limit, length)]
        case: dict[str, Any] = {"ids": ids, "rows": rows}
        if with_source:
            limit = config["source_vocab_size"]
            case["source"] = [int(i) for i in rng.integers(0, limit, length)]
        case["logits"] = digits(logits(module, ids, case.get("source"))[rows])
        made.append(case)
    return made


def make(family: str, config: dict[str, Any]) -> dict[str, Any]:
    """The golden case of a config."""
    with_source = family == "marian"
    for seed in itertools.count():
        module = peer(family, config)
        found = tensors(module)
        shapes = {name: list(tensor.shape) for name, tensor in found.items()}
        values = weights(shapes, seed)
        for name, tensor in found.items():
            tensor.copy_(torch.from_numpy(values[name]))
        module = module.double()
        made = prompts(module, config, with_source)
        ids, source = ([0], made[1]["source"]) if with_source else (made[1]["ids"], None)
        tokens, gap = greedy(module, ids, source)
        if gap >= GAP and len(set(tokens)) >= DIFFERENT:
            break
    search = {"ids": ids, "tokens": tokens} | ({"source": source} if source else {})
    return {
        "config": {"architecture": family, **config},
        "seed": seed,
        "shapes": shapes,
        "prompts": made,
        "greedy": search,
    }


def main() -> None:
    torch.set_num_threads(1)
    for family, (base, variants) in VARIANTS.items():
        made = {name: make(family, base | changes) for name, changes in variants.items()}
        lines = ",\n".join(
            f"{json.dumps(name)}: {json.dumps(case, separators=COMPACT)}"
            for name, case in made.items()
        )
        (FOLDER / f"{family}.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
