"""Models that hear: a file for each family."""
