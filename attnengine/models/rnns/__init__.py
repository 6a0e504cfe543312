"""RNNs: a file for each architecture."""
