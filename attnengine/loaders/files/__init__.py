"""Containers that several toolkits write: each is read here, whatever model it holds."""
