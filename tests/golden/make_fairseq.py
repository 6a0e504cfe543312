"""Writes tiny checkpoints with fairseq and stores the logits that fairseq computes.

    python -m tests.golden.make_fairseq

It needs torch and fairseq 0.12.2 on Python 3.10.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import fairseq
import torch
from fairseq import criterions, models, tasks
from fairseq.data import Dictionary
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.trainer import Trainer

from tests.golden.toolkits import SOURCE_IDS, TARGET_IDS, folder_of, keep, spread

# name of a variant -> options of fairseq
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {"encoder_hidden_size": 6, "decoder_hidden_size": 6},
    "projected": {
        "encoder_bidirectional": True,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "decoder_out_embed_dim": 5,
    },
    "shared": {"decoder_out_embed_dim": 4, "share_decoder_input_output_embed": True},
    "no-attention": {"decoder_attention": "0", "decoder_layers": 2, "encoder_layers": 2},
}
SIZES = {
    "encoder_embed_dim": 4,
    "decoder_embed_dim": 4,
    "encoder_hidden_size": 5,
    "decoder_hidden_size": 6,
    "decoder_out_embed_dim": 6,
}


def dictionary(words: str, file: Path) -> Dictionary:
    found = Dictionary()
    for word in words.split():
        found.add_symbol(word)
    found.save(str(file))
    return found


def options(folder: Path, changes: dict[str, Any]) -> Namespace:
    return Namespace(
        **{"arch": "lstm", "task": "translation", "criterion": "cross_entropy", **SIZES, **changes},
        data=f"tests/golden/toolkits/{folder.name}",  # relative: the checkpoint stores this path
        source_lang="de",
        target_lang="en",
        optimizer="sgd",
        lr=[0.1],
        momentum=0.0,
        weight_decay=0.0,
        lr_scheduler="fixed",
        cpu=True,
        max_epoch=1,
    )


def logits(model: Any) -> list[list[float]]:
    source, target = torch.tensor([SOURCE_IDS]), torch.tensor([TARGET_IDS])
    out, _ = model(source, torch.tensor([len(SOURCE_IDS)]), target)
    return out[0].tolist()


def main() -> None:
    for name, changes in VARIANTS.items():
        torch.manual_seed(0)
        folder = folder_of(f"fairseq-{name}")
        dictionary("a b c d", folder / "dict.de.txt")
        dictionary("w x y z", folder / "dict.en.txt")
        args = options(folder, changes)
        task = tasks.setup_task(args)
        model = models.build_model(args, task)
        spread(model)
        model.eval()
        config = convert_namespace_to_omegaconf(args)
        trainer = Trainer(config, task, model, criterions.build_criterion(args, task))
        trainer.consolidate_optimizer()
        trainer.save_checkpoint(str(folder / "model.pt"), {"epoch": 1})
        with torch.no_grad():
            keep(folder, f"fairseq {fairseq.__version__}", logits(model))


if __name__ == "__main__":
    main()
