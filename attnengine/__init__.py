"""CPU inference for autoregressive sequence models."""
