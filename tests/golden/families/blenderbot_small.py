"""Blenderbot-small."""

from __future__ import annotations

from tests.golden.families.bart import like_bart

FAMILY = like_bart("BlenderbotSmall", model_type="blenderbot-small")
