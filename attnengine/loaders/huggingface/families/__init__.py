"""Names in transformers' files, and transformers' defaults of absent keys."""

from __future__ import annotations

from attnengine.loaders.huggingface.families.decoders import DECODERS
from attnengine.loaders.huggingface.families.encoders import ENCODERS
from attnengine.loaders.huggingface.families.family import Family
from attnengine.loaders.huggingface.families.gpts import GPTS
from attnengine.loaders.huggingface.families.llamas import LLAMAS
from attnengine.loaders.huggingface.families.seq2seqs import SEQ2SEQS
from attnengine.loaders.huggingface.families.speech import SPEECH

__all__ = ["FAMILIES", "Family"]

# model_type of config.json -> family
FAMILIES = {**DECODERS, **GPTS, **LLAMAS, **SEQ2SEQS, **ENCODERS, **SPEECH}
