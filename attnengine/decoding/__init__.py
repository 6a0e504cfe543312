"""Drives a model's steps: search for continuations, score given ones."""
