"""Whisper (Radford et al. 2022): the Transformer of ``transformer.py`` behind two convolutions."""

from __future__ import annotations

from attnengine.reference.activations import ACTIVATIONS
from attnengine.reference.arrays import Floats
from attnengine.reference.convolution import convolution
from attnengine.reference.transformer import Ids, Transformer
from attnengine.reference.weights import Config, Weights, under


class Whisper:
    """The architecture "whisper", with its config and weights."""

    def __init__(self, config: Config, weights: Weights) -> None:
        self.weights = under(weights, "model.")
        if "proj_out.weight" in weights:
            self.weights["lm_head.weight"] = weights["proj_out.weight"]
        embedding = self.weights["decoder.embed_tokens.weight"]
        shared = {"encoder.embed_tokens.weight": embedding, **self.weights}
        self.encoder = Transformer(transformer_config(config, "encoder"), shared)
        self.decoder = Transformer(transformer_config(config, "decoder"), shared)

    def encode(self, frames: Floats) -> Floats:
        """Encode a recording, (frames, num_mels), to states (frames / 2, d_model)."""
        weights, gelu = under(self.weights, "encoder."), ACTIVATIONS["gelu"]
        x = gelu(convolution(frames, weights["conv1.weight"], weights["conv1.bias"]))
        x = gelu(convolution(x, weights["conv2.weight"], weights["conv2.bias"], stride=2))
        return self.encoder.encode_rows(x + weights["embed_positions.weight"][: len(x)])[0]

    def logits(self, frames: Floats, ids: Ids) -> Floats:
        """Return logits (tokens, vocab_size); row t scores the token after ids[: t + 1]."""
        return self.decoder.decode(ids, self.decoder.initial_state(), self.encode(frames))[0]


def transformer_config(config: Config, side: str) -> Config:
    """Return the config of architecture "transformer" for one side, "encoder" or "decoder"."""
    which = "source" if side == "encoder" else "target"
    return {
        "hidden_size": config["d_model"],
        "encoder_num_layers": config["encoder_layers"],
        "decoder_num_layers": config["decoder_layers"],
        "num_heads": config[f"{side}_attention_heads"],
        "norm_placement": "pre",
        "final_norm": True,
        "norm_eps": 1e-5,
        "activation": config.get("activation_function", "gelu"),
        "positions": "learned",
        "position_layout": None,
        "position_offset": 0,
        "max_positions": config[f"max_{which}_positions"],
        "scale_embeddings": False,
        "tied_output": config.get("tie_word_embeddings", True),
    }
