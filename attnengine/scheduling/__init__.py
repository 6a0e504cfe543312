"""Decides which worker runs which step of which text."""
