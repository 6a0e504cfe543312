"""CPU inference for autoregressive sequence models: RNNs with attention and Transformers."""

from __future__ import annotations

from attnengine import kernels
from attnengine._core import BeamSearch
from attnengine.decoding.results import BeamTree, Hypothesis, Result, Score
from attnengine.engines import Encoder, LanguageModel, Seq2Seq, convert, load
from attnengine.errors import Error, FormatError, InvalidArgument, Unsupported
from attnengine.loaders.native import save

__version__ = "0.1.0"

__all__ = [
    "BeamSearch",
    "BeamTree",
    "Encoder",
    "Error",
    "FormatError",
    "Hypothesis",
    "InvalidArgument",
    "LanguageModel",
    "Result",
    "Score",
    "Seq2Seq",
    "Unsupported",
    "__version__",
    "convert",
    "kernels",
    "load",
    "save",
]
