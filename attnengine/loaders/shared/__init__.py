"""Shared parts of the toolkits' readers: renaming, weight algebra, options and sizes."""
