"""Rules constrain which tokens a search may generate.

Options such as ``suppress`` use C++ rules, in csrc/decoding/rules. A user's rule is a Python
callable ``rule(logits, rows)``.
"""

from __future__ import annotations

from attnengine.decoding.rules.user_rules import Rows, Rule, apply

__all__ = ["Rows", "Rule", "apply"]
