"""Helpers of the scripts that write checkpoints with other toolkits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SOURCE_IDS = [4, 3, 5, 5, 0, 2]
TARGET_IDS = [2, 6, 4, 7, 4]


def folder_of(name: str) -> Path:
    """Make the folder of a model and return its path."""
    folder = Path(__file__).parent / name
    folder.mkdir(exist_ok=True)
    return folder


def spread(model: Any) -> None:
    """Give every weight of a PyTorch model values so different that outputs vary."""
    for parameter in model.parameters():
        size = parameter.shape[-1] if parameter.dim() > 1 else 4
        parameter.data.normal_(std=1.5 / size**0.5)


def keep(folder: Path, writer: str, logits: list[list[float]]) -> None:
    """Store the name of the toolkit that wrote the model, and its logits."""
    rounded = [[float(f"{value:.7g}") for value in row] for row in logits]
    expected = {"writer": writer, "source": SOURCE_IDS, "target": TARGET_IDS, "logits": rounded}
    (folder / "expected.json").write_text(json.dumps(expected) + "\n", encoding="utf-8")
