"""Shared parts of families: heads, blocks, positions, vocabularies, cells."""
