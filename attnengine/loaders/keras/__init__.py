"""Keras models in HDF5 (`model.save("x.h5")`): Embedding, recurrent layers, Dense.

With ``return_sequences`` in every recurrent layer a model becomes an "rnn_lm". If the last layer
gives only its last state, the model becomes an "rnn_window_lm", trained on windows of one length.
Models without an Embedding read one-hot vectors. A file has no vocabulary, so that engines read
and return ids.
"""

from __future__ import annotations

from pathlib import Path

from attnengine.loaders.files.signature import starts_with

UNDERSTANDS = "an HDF5 file of Keras or textgenrnn"
_HDF5 = b"\x89HDF\r\n\x1a\n"


def matches(path: Path) -> bool:
    """Whether `path` is an HDF5 file."""
    return starts_with(path, _HDF5)
