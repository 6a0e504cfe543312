"""What transformers' files call things, and what it takes an absent key to mean."""

from __future__ import annotations

from attnengine.loaders.names.huggingface.decoders import DECODERS
from attnengine.loaders.names.huggingface.encoders import ENCODERS
from attnengine.loaders.names.huggingface.family import IGNORED, Family
from attnengine.loaders.names.huggingface.gpts import GPTS
from attnengine.loaders.names.huggingface.llamas import LLAMAS
from attnengine.loaders.names.huggingface.seq2seqs import SEQ2SEQS

__all__ = ["FAMILIES", "IGNORED", "Family"]

# By the model_type of config.json.
FAMILIES = {**DECODERS, **GPTS, **LLAMAS, **SEQ2SEQS, **ENCODERS}
