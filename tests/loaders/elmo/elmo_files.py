"""Writes a small folder of ELMo.

Names and shapes follow the toolkit's documentation and published files.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.loaders.arrays import Arrays, random_arrays
from tests.loaders.files.hdf5_files import write_hdf5

UNITS = 4
FILTERS = [[1, 2], [2, 3]]
ELMO_OPTIONS: dict[str, Any] = {
    "lstm": {
        "cell_clip": 3,
        "proj_clip": 3,
        "use_skip_connections": True,
        "n_layers": 2,
        "projection_dim": 3,
        "dim": UNITS,
    },
    "char_cnn": {
        "embedding": {"dim": 2},
        "filters": FILTERS,
        "n_highway": 1,
        "n_characters": 262,
        "max_characters_per_token": 8,
        "activation": "relu",
    },
}


def elmo_arrays() -> Arrays:
    total, out = 5, 3
    shapes: dict[str, tuple[int, ...]] = {
        "char_embed": (261, 2),
        "CNN_proj/W_proj": (total, out),
        "CNN_proj/b_proj": (out,),
    }
    for i, (width, count) in enumerate(FILTERS):
        shapes |= {f"CNN/W_cnn_{i}": (1, width, 2, count), f"CNN/b_cnn_{i}": (count,)}
    for gate in ("carry", "transform"):
        shapes |= {f"CNN_high_0/W_{gate}": (total, total), f"CNN_high_0/b_{gate}": (total,)}
    for direction in (0, 1):
        for layer in (0, 1):
            cell = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
            shapes |= {f"{cell}/W_0": (2 * out, 4 * UNITS), f"{cell}/B": (4 * UNITS,)}
            shapes[f"{cell}/W_P_0"] = (UNITS, out)
    return random_arrays(shapes)


def write_elmo(folder: Path) -> Path:
    write_hdf5(folder / "lm_weights.hdf5", elmo_arrays(), {})
    (folder / "options.json").write_text(json.dumps(ELMO_OPTIONS))
    (folder / "vocab.txt").write_text("</S>\n<S>\n<UNK>\nThe\nanimal\nstraße\n", encoding="utf-8")
    return folder
