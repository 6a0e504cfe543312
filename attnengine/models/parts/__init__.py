"""What families share: heads, blocks, positions, vocabularies, cells."""
