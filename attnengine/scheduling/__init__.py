"""The distribution of a call's texts over workers and threads."""
