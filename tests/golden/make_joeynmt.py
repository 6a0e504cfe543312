"""Writes tiny model folders with JoeyNMT and stores the logits that JoeyNMT computes.

    python -m tests.golden.make_joeynmt

It needs torch and JoeyNMT 2.3.0.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import joeynmt
import torch
import yaml
from joeynmt.model import build_model
from joeynmt.training import TrainManager
from joeynmt.vocabulary import Vocabulary

from tests.golden.toolkits import SOURCE_IDS, TARGET_IDS, folder_of, keep, spread

SPECIAL = SimpleNamespace(
    unk_token="<unk>", pad_token="<pad>", bos_token="<s>", eos_token="</s>", sep_token=None,
    unk_id=0, pad_id=1, bos_id=2, eos_id=3, sep_id=None, lang_tags=[],
)  # fmt: skip

EMBEDDINGS = {"embedding_dim": 4, "scale": False}
RNN = {"type": "recurrent", "rnn_type": "gru", "embeddings": EMBEDDINGS, "num_layers": 2}
TRANSFORMER = {
    "type": "transformer",
    "embeddings": {"embedding_dim": 4, "scale": True},
    "num_layers": 2,
    "num_heads": 2,
    "hidden_size": 4,
    "ff_size": 6,
    "layer_norm": "pre",
}


def model(base: dict[str, Any], encoder: dict[str, Any], decoder: dict[str, Any]) -> dict[str, Any]:
    return {"encoder": {**base, **encoder}, "decoder": {**base, **decoder}}


# name of a variant -> section "model" of its configuration
VARIANTS = {
    "gru": model(RNN, {"hidden_size": 3}, {"hidden_size": 5, "attention": "bahdanau"}),
    "lstm": model(
        {**RNN, "rnn_type": "lstm"},
        {"hidden_size": 3},
        {"hidden_size": 6, "attention": "luong", "init_hidden": "last", "input_feeding": False},
    ),
    "half": model(RNN, {"hidden_size": 5}, {"hidden_size": 5, "init_hidden": "last"}),
    "transformer": model(TRANSFORMER, {}, {}),
    "post-norm": {
        **model({**TRANSFORMER, "layer_norm": "post", "activation": "gelu"}, {}, {}),
        "tied_softmax": True,
    },
}


def save(folder: Any, config: dict[str, Any], found: Any, vocabularies: list[Vocabulary]) -> None:
    """Write the files that a training run leaves in its folder."""
    for name, vocabulary in zip(("src", "trg"), vocabularies, strict=True):
        vocabulary.to_file(folder / f"{name}_vocab.txt")
    (folder / "config.yaml").write_text(yaml.dump({"name": "tiny", "model": config}))
    optimizer = torch.optim.SGD(found.parameters(), lr=0.1)
    state = torch.Generator().get_state()
    training = SimpleNamespace(
        rank=0, model_dir=folder, model=found, optimizer=optimizer, scaler=None, scheduler=None,
        stats=TrainManager.TrainStatistics(minimize_metric=False), ckpt_queue=[],
        train_iter=SimpleNamespace(batch_sampler=SimpleNamespace(get_state=lambda: state)),
        args=SimpleNamespace(keep_best_ckpts=0),
    )  # fmt: skip
    TrainManager._save_checkpoint(training, new_best=False, score=float("nan"))
    (folder / "latest.ckpt").unlink()  # a symbolic link


def logits(found: Any) -> list[list[float]]:
    source, target = torch.tensor([SOURCE_IDS]), torch.tensor([TARGET_IDS])
    rows, *_ = found._encode_decode(
        src=source,
        trg_input=target,
        src_mask=torch.ones(1, 1, len(SOURCE_IDS), dtype=torch.bool),
        src_length=torch.tensor([len(SOURCE_IDS)]),
        trg_mask=torch.ones(1, 1, len(TARGET_IDS), dtype=torch.bool),
    )
    return rows[0].tolist()


def main() -> None:
    for name, config in VARIANTS.items():
        torch.manual_seed(0)
        vocabularies = [Vocabulary(words.split(), SPECIAL) for words in ("a b c d", "w x y z v")]
        found = build_model(config, *vocabularies)
        spread(found)
        found.eval()
        folder = folder_of(f"joeynmt-{name}")
        save(folder, config, found, vocabularies)
        with torch.no_grad():
            keep(folder, f"JoeyNMT {joeynmt.__version__}", logits(found))


if __name__ == "__main__":
    main()
