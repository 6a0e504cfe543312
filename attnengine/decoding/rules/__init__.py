"""Rules constrain what a search may continue with.

The rules that options make are C++ classes, in csrc/decoding/rules. A rule of the user's own is a
callable ``rule(logits, rows)``.
"""

from __future__ import annotations

from attnengine.decoding.rules.user_rules import Rows, Rule, apply

__all__ = ["Rows", "Rule", "apply"]
