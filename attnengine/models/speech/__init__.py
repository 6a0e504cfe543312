"""Speech models: a file for each family."""
