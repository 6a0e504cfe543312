"""How large a model is (sizes), and how fast it runs (speed)."""
