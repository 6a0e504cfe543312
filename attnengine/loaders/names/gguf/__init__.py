"""GGUF's architectures: which keys and names of transformers stand for their own."""

from __future__ import annotations

from attnengine.loaders.names.gguf.decoders import DECODERS
from attnengine.loaders.names.gguf.family import IGNORED, NEUTRAL, POOLINGS, Family
from attnengine.loaders.names.gguf.others import OTHERS
from attnengine.loaders.names.huggingface import FAMILIES as KNOWN

__all__ = ["FAMILIES", "IGNORED", "NEUTRAL", "POOLINGS", "Family"]

# By general.architecture.
FAMILIES = {
    name: family for name, family in {**DECODERS, **OTHERS}.items() if family.model_type in KNOWN
}
