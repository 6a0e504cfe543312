"""Writes the golden folders beside this file: small models and their outputs in PyTorch.

    python -m tests.golden.make_golden

Each folder is a native model with `expected.json`. PyTorch computes in float64, for each source,
the logits of a target token by token. Beam search over PyTorch's logits gives the n best
hypotheses.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import attnengine as ae
from attnengine.reference.beam_search import Options, beam_search
from attnengine.reference.random_weights import random_weights
from tests.helpers.torch_modules import TRANSFORMER_PEER, RnnSeq2SeqPeer, TransformerPeer
from tests.models.configs import RNN_SEQ2SEQ

HERE = Path(__file__).parent
SOURCES = ["abc", "hgfedc", "a", "bbd"]
START, END = 0, 1
TOKENS = {
    "tokenizer": {"source": "characters", "target": "words"},
    "bos_token_id": START,
    "eos_token_id": END,
    "pad_token_id": None,
    "unk_token_id": None,
    "decoder_start_token_id": START,
    "add_source_bos": False,
    "add_source_eos": False,
    "source_bos_token_id": None,
    "source_eos_token_id": None,
    "source_pad_token_id": None,
    "source_unk_token_id": None,
}
SEARCHES: list[dict[str, Any]] = [
    {"beam_size": 1, "num_hypotheses": 1},
    {"beam_size": 4, "num_hypotheses": 4},
    {"beam_size": 4, "num_hypotheses": 3, "stopping": "optimal", "length_penalty": 0.6},
]

Logits = Callable[[list[int], list[int]], Any]


def vocabularies(config: dict[str, Any]) -> dict[str, list[str]]:
    letters = [chr(ord("a") + i) for i in range(config["source_vocab_size"])]
    words = ["<s>", "</s>", *(f"w{i}" for i in range(config["target_vocab_size"] - 2))]
    return {"source": letters, "target": words}


def search(logits: Logits, source: list[int], options: dict[str, Any]) -> list[dict[str, Any]]:
    result = beam_search(
        lambda tokens: logits(source, [START, *tokens])[-1],
        Options(
            end_tokens=[END],
            max_new_tokens=5,
            min_new_tokens=1,
            **options,
        ),
    )
    return [
        {"ids": list(h.tokens), "log_prob": h.log_prob, "score": h.score} for h in result.hypotheses
    ]


def write(name: str, config: dict[str, Any], weights: dict[str, Any], logits: Logits) -> None:
    folder = HERE / name
    words = vocabularies(config)
    arrays = {key: np.asarray(value, np.float32) for key, value in weights.items()}
    ae.save(folder, config | TOKENS, arrays, words)
    cases = []
    for text in SOURCES:
        source = [words["source"].index(letter) for letter in text]
        target = [START, 4, 2, 7]
        cases.append(
            {
                "source": text,
                "target": target,
                "logits": np.round(logits(source, target), 8).tolist(),
                "searches": [search(logits, source, options) for options in SEARCHES],
            }
        )
    text = json.dumps({"options": SEARCHES, "cases": cases})
    (folder / "expected.json").write_text(text + "\n", encoding="utf-8")


def main() -> None:
    rnn = RNN_SEQ2SEQ | {"cell": "gru", "bridge_cell": "zero"}
    weights = random_weights(rnn, 0)
    peer = RnnSeq2SeqPeer(rnn, {name: w.astype(np.float64) for name, w in weights.items()})
    write("rnn_seq2seq", rnn, weights, lambda source, target: peer.run(source, target)[0])

    torch.manual_seed(0)
    config = TRANSFORMER_PEER | {
        "norm_placement": "pre",
        "final_norm": True,
        "activation": "relu",
    }
    transformer = TransformerPeer(config)
    write("transformer", config, transformer.weights(), transformer.logits)


if __name__ == "__main__":
    main()
