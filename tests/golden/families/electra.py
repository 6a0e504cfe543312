"""ELECTRA."""

from __future__ import annotations

from tests.golden.families import bert
from tests.golden.families.family import Family

FAMILY = Family(
    config_class="ElectraConfig",
    model_class="ElectraModel",
    kind="encoder",
    base=bert.BASE | {"embedding_size": 32},
    variants={"plain": {}, "small embeddings": {"embedding_size": 12}},
    prefix="electra.",
)
