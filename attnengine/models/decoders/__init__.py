"""Decoder-only Transformers: a file for each family."""
