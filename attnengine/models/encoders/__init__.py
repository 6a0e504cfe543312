"""Transformer encoders: a file for each family."""
