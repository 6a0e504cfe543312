"""A Transformer language model: the decoder of ``transformer.py`` that reads no source."""

from __future__ import annotations

from attnengine.reference.arrays import Floats
from attnengine.reference.transformer import Cache, Ids, Transformer
from attnengine.reference.weights import Config, Weights


class TransformerLM:
    """Config and weights are those of the architecture "transformer_lm"."""

    def __init__(self, config: Config, weights: Weights) -> None:
        unused = {"encoder.embed_tokens.weight": weights["decoder.embed_tokens.weight"]}
        layers = {"decoder_num_layers": config["num_layers"]}
        self.decoder = Transformer({**config, **layers}, {**weights, **unused})

    def initial_state(self) -> tuple[Cache, ...]:
        """The cache before the first token: one empty Cache for each layer."""
        return self.decoder.initial_state()

    def step(self, token: int, state: tuple[Cache, ...]) -> tuple[Floats, tuple[Cache, ...]]:
        """Read one token; the past comes from the cache.

        Returns (logits (vocab_size,) of the next token, the longer cache).
        """
        logits, state, _, _ = self.decoder.decode([token], state, None)
        return logits[0], state

    def logits(self, ids: Ids) -> Floats:
        """All at once: row t scores the token after ids[: t + 1]. (tokens, vocab_size)."""
        return self.decoder.decode(ids, self.initial_state(), None)[0]
