"""BERT in NumPy (Devlin et al. 2019), with Hugging Face's config keys and weight names."""

from __future__ import annotations

import numpy as np

from attnengine.reference.activations import ACTIVATIONS
from attnengine.reference.arrays import Floats
from attnengine.reference.attention import scaled_dot_attention
from attnengine.reference.norm import layer_norm
from attnengine.reference.transformer import Ids, dense
from attnengine.reference.weights import Config, Weights, under


class Bert:
    """The architecture "bert"; all tokens of a text have token type 0."""

    def __init__(self, config: Config, weights: Weights) -> None:
        self.config = config
        self.weights = under(weights, "bert.")

    def hidden_states(self, ids: Ids) -> Floats:
        """Return the hidden state of each token: (tokens, hidden_size)."""
        embeddings = under(self.weights, "embeddings.")
        x = embeddings["word_embeddings.weight"][np.asarray(ids)]
        x = x + embeddings["position_embeddings.weight"][: len(x)]
        x = x + embeddings["token_type_embeddings.weight"][0]
        x = self._norm(x, embeddings, "LayerNorm")
        for i in range(self.config["num_hidden_layers"]):
            x = self._layer(x, under(self.weights, f"encoder.layer.{i}."))
        return x

    def _layer(self, x: Floats, weights: Weights) -> Floats:
        """Self-attention over all tokens, then the feed-forward network; post-norm."""
        attention = under(weights, "attention.")
        query, keys, values = (
            dense(x, attention, f"self.{name}").reshape(
                len(x), self.config["num_attention_heads"], -1
            )
            for name in ("query", "key", "value")
        )
        context, _ = scaled_dot_attention(query, keys, values)
        attended = dense(context.reshape(x.shape), attention, "output.dense")
        x = self._norm(x + attended, attention, "output.LayerNorm")

        activation = ACTIVATIONS[self.config.get("hidden_act", "gelu")]
        hidden = activation(dense(x, weights, "intermediate.dense"))
        return self._norm(x + dense(hidden, weights, "output.dense"), weights, "output.LayerNorm")

    def _norm(self, x: Floats, weights: Weights, name: str) -> Floats:
        eps = self.config.get("layer_norm_eps", 1e-12)
        return layer_norm(x, weights[f"{name}.weight"], weights[f"{name}.bias"], eps)
