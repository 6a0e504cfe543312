"""Transformer encoder-decoders: a file for each family."""
