"""GGUF's architectures: transformers' keys and names for those of GGUF."""

from __future__ import annotations

from attnengine.loaders.gguf.families.decoders import DECODERS
from attnengine.loaders.gguf.families.family import IGNORED, NEUTRAL, POOLINGS, Family
from attnengine.loaders.gguf.families.others import OTHERS
from attnengine.loaders.huggingface.families import FAMILIES as KNOWN

__all__ = ["FAMILIES", "IGNORED", "NEUTRAL", "POOLINGS", "Family"]

# general.architecture -> family
FAMILIES = {
    name: family for name, family in {**DECODERS, **OTHERS}.items() if family.model_type in KNOWN
}
