"""Train the pronunciation model by maximum likelihood: ``python -m training.g2p.train --help``."""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.g2p.data import (
    PAD,
    SOURCE_EOS,
    UNK,
    Batch,
    Dictionary,
    Pairs,
    Vocabularies,
    read_dictionary,
    select,
    source_batch,
)
from training.g2p.metrics import ErrorRates, error_rates
from training.g2p.model import Seq2Seq, Sizes


@dataclass(frozen=True)
class Settings:
    """The settings of a run."""

    data: Path
    output: Path
    minutes: float
    seed: int
    batch_size: int
    learning_rate: float
    dropout: float
    resume: Path | None = None
    unknown_rate: float = 0.002  # share of letters replaced by the unknown token
    warmup: float = 0.01  # share of the time in which the learning rate rises
    max_norm: float = 1.0


def learning_rate(progress: float, settings: Settings) -> float:
    """The rate after a share of the time: a short rise, then half a cosine to 1 % of the peak."""
    rise = min(1.0, progress / settings.warmup)
    fall = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return settings.learning_rate * rise * fall


def hide_letters(source: Tensor, rate: float) -> Tensor:
    """Source (words, src) with random letters replaced by the unknown token."""
    hidden = (torch.rand(source.shape) < rate) & (source > SOURCE_EOS)
    return source.masked_fill(hidden, UNK)


def loss_of(model: Seq2Seq, batch: Batch) -> Tensor:
    """Mean negative log-likelihood of the target tokens."""
    logits = model(batch.source, batch.lengths, batch.target)
    return nn.functional.cross_entropy(
        logits.flatten(0, 1), batch.target[:, 1:].flatten(), ignore_index=PAD
    )


def pronounce(model: Seq2Seq, words: list[str], vocabularies: Vocabularies) -> list[list[str]]:
    """Greedy pronunciations, computed in batches of words with similar lengths."""
    model.eval()
    order = sorted(range(len(words)), key=lambda i: len(words[i]))
    outputs: list[list[str]] = [[] for _ in words]
    for start in range(0, len(order), 256):
        chunk = order[start : start + 256]
        source, lengths = source_batch([vocabularies.source_ids(words[i]) for i in chunk])
        for i, tokens in zip(chunk, model.greedy(source, lengths), strict=True):
            outputs[i] = [vocabularies.target[token] for token in tokens]
    return outputs


def validate(model: Seq2Seq, words: Dictionary, vocabularies: Vocabularies) -> ErrorRates:
    """Error rates of greedy decoding."""
    outputs = pronounce(model, list(words), vocabularies)
    return error_rates(zip(outputs, words.values(), strict=True))


class Trainer:
    """Model, optimiser and clock of one run."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        words = read_dictionary(settings.data)
        self.vocabularies = Vocabularies.of(words)
        self.valid = select(words, "valid")
        self.pairs = Pairs(select(words, "train"), self.vocabularies)
        sizes = Sizes(len(self.vocabularies.source), len(self.vocabularies.target))
        self.model = Seq2Seq(sizes, settings.dropout)
        if settings.resume is not None:
            self.model.load_state_dict(torch.load(settings.resume, weights_only=True)["weights"])
        self.optimizer = torch.optim.Adam(self.model.parameters(), betas=(0.9, 0.98))
        self.start = time.monotonic()
        self.best = math.inf

    @property
    def progress(self) -> float:
        """Share of the training time that has passed."""
        return (time.monotonic() - self.start) / (60 * self.settings.minutes)

    def batches(self) -> Iterator[Batch]:
        """Batches of epoch after epoch, without end."""
        rng = random.Random(self.settings.seed)
        while True:
            yield from self.pairs.batches(self.settings.batch_size, rng)

    def update(self, batch: Batch) -> float:
        """Take one step of Adam and return the loss."""
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.progress, self.settings)
        source = hide_letters(batch.source, self.settings.unknown_rate)
        loss = loss_of(self.model, Batch(source, batch.lengths, batch.target))
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.max_norm)
        self.optimizer.step()
        return loss.item()

    def check(self, steps: int, loss: float) -> None:
        """Print the validation error rates and save the model if it is the best so far."""
        rates = validate(self.model, self.valid, self.vocabularies)
        epochs = steps * self.settings.batch_size / len(self.pairs)
        print(
            f"{60 * self.progress * self.settings.minutes:6.0f} s  epoch {epochs:5.2f}  "
            f"loss {loss:.4f}  valid {rates}",
            flush=True,
        )
        if rates.phoneme < self.best:
            self.best = rates.phoneme
            self.save(steps)

    def save(self, steps: int) -> None:
        """Write the checkpoint and rename it, so that the file is complete at any time."""
        checkpoint: dict[str, Any] = {
            "sizes": asdict(self.model.sizes),
            "vocabularies": asdict(self.vocabularies),
            "weights": self.model.state_dict(),
            "steps": steps,
            "seed": self.settings.seed,
        }
        partial = self.settings.output.with_suffix(".partial")
        torch.save(checkpoint, partial)
        partial.replace(self.settings.output)

    def run(self, steps_between_checks: int = 500) -> None:
        """Train until the time is up."""
        total = 0.0
        for steps, batch in enumerate(self.batches(), start=1):
            total += self.update(batch)
            if steps % steps_between_checks == 0 or self.progress >= 1:
                self.check(steps, total / ((steps - 1) % steps_between_checks + 1))
                total = 0.0
            if self.progress >= 1:
                return


def load_checkpoint(path: Path) -> tuple[Seq2Seq, Vocabularies]:
    """The model, in evaluation mode, and the vocabularies of a checkpoint."""
    checkpoint = torch.load(path, weights_only=True)
    model = Seq2Seq(Sizes(**checkpoint["sizes"]))
    model.load_state_dict(checkpoint["weights"])
    return model.eval(), Vocabularies(**checkpoint["vocabularies"])


def main() -> None:
    """Read the options and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="path of cmudict.dict")
    parser.add_argument(
        "--output", type=Path, required=True, help="path of the checkpoint to write"
    )
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--dropout", type=float, default=0.15)
    parser.add_argument("--resume", type=Path, help="checkpoint with the weights to start from")
    options = vars(parser.parse_args())
    torch.set_num_threads(options.pop("threads"))
    torch.manual_seed(options["seed"])
    trainer = Trainer(Settings(**options))
    parameters = sum(p.numel() for p in trainer.model.parameters())
    print(f"{parameters} parameters, {len(trainer.pairs)} pairs, {len(trainer.valid)} valid words")
    trainer.run()


if __name__ == "__main__":
    main()
