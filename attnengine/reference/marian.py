"""Marian (Junczys-Dowmunt et al. 2018) with Hugging Face's config keys and weight names.

It is the Transformer of ``transformer.py``, post-norm with Marian's sinusoids. Encoder and decoder
may differ in heads and widths.
"""

from __future__ import annotations

from attnengine.reference.arrays import Floats
from attnengine.reference.transformer import Ids, Transformer
from attnengine.reference.weights import Config, Weights, under


class Marian(Transformer):
    """A Transformer with the decoder's sizes; a second Transformer provides the encoder."""

    def __init__(self, config: Config, weights: Weights) -> None:
        weights = transformer_weights(weights)
        super().__init__(transformer_config(config, "decoder"), weights)
        self._encoder_side = Transformer(transformer_config(config, "encoder"), weights)

    def _encode(self, ids: Ids) -> tuple[Floats, list[Floats]]:
        return self._encoder_side._encode(ids)


def transformer_config(config: Config, side: str) -> Config:
    """Return the config of architecture "transformer" for one side, "encoder" or "decoder"."""
    return {
        "hidden_size": config["d_model"],
        "encoder_num_layers": config["encoder_layers"],
        "decoder_num_layers": config["decoder_layers"],
        "num_heads": config[f"{side}_attention_heads"],
        "norm_placement": "post",
        "final_norm": False,
        "norm_eps": 1e-5,
        "activation": config.get("activation_function", "gelu"),
        "positions": "sinusoidal",
        "position_layout": "marian",
        "position_offset": 0,
        "max_positions": config["max_position_embeddings"],
        "scale_embeddings": config.get("scale_embedding", False),
        "tied_output": config.get("tie_word_embeddings", True),
    }


def transformer_weights(weights: Weights) -> Weights:
    """Rename the weights to the names of architecture "transformer"."""
    renamed = under(weights, "model.")
    if "lm_head.weight" in weights:
        renamed["lm_head.weight"] = weights["lm_head.weight"]
    if "shared.weight" in renamed:
        renamed["encoder.embed_tokens.weight"] = renamed.pop("shared.weight")
    return renamed | {"lm_head.bias": weights["final_logits_bias"][0]}
