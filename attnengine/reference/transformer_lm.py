"""A Transformer language model: the decoder of ``transformer.py`` without a source."""

from __future__ import annotations

from attnengine.reference.arrays import Floats
from attnengine.reference.transformer import Cache, Ids, Transformer
from attnengine.reference.weights import Config, Weights


class TransformerLM:
    """The architecture "transformer_lm", with its config and weights."""

    def __init__(self, config: Config, weights: Weights) -> None:
        unused = {"encoder.embed_tokens.weight": weights["decoder.embed_tokens.weight"]}
        layers = {"decoder_num_layers": config["num_layers"]}
        self.decoder = Transformer({**config, **layers}, {**weights, **unused})

    def initial_state(self) -> tuple[Cache, ...]:
        """Return the cache before the first token: an empty Cache per layer."""
        return self.decoder.initial_state()

    def step(self, token: int, state: tuple[Cache, ...]) -> tuple[Floats, tuple[Cache, ...]]:
        """Read one token after the tokens in the cache.

        Returns (logits (vocab_size,) of the next token, the extended cache).
        """
        logits, state, _, _ = self.decoder.decode([token], state, None)
        return logits[0], state

    def logits(self, ids: Ids) -> Floats:
        """Return logits (tokens, vocab_size); row t scores the token after ids[: t + 1]."""
        return self.decoder.decode(ids, self.initial_state(), None)[0]
