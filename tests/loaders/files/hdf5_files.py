"""Writes HDF5 files with h5py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py


def write_hdf5(path: Path, arrays: Mapping[str, Any], texts: Mapping[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array
        for name, text in texts.items():
            file.attrs[name] = text.encode()
    return path
