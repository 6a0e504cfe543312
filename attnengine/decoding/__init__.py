"""The loop over a model's steps: search for continuations and scores of given texts."""
