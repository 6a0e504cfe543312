"""Pegasus."""

from __future__ import annotations

from tests.golden.families.bart import like_bart

FAMILY = like_bart("Pegasus", derived="embed_positions")
