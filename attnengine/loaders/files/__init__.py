"""Readers of the containers that several toolkits write, independent of the model inside."""
