"""The Transformer encoder-decoder (Vaswani et al. 2017), with BART's and Marian's weight names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from attnengine.reference.activations import ACTIVATIONS
from attnengine.reference.arrays import Floats, Integers
from attnengine.reference.attention import scaled_dot_attention
from attnengine.reference.linear import linear
from attnengine.reference.norm import layer_norm
from attnengine.reference.positions import sinusoidal
from attnengine.reference.recurrence import average_attention, simple_recurrence
from attnengine.reference.weights import Config, Weights, under

Ids = Sequence[int] | Integers


class Cache(NamedTuple):
    """The keys and values of the past positions.

    In a decoder layer with a recurrence, both are its carried vectors, (positions, hidden).
    """

    keys: Floats  # (positions, heads, head_dim)
    values: Floats  # (positions, heads, head_dim)


class Attentions(NamedTuple):
    """Attention weights, each (layers, heads, query, key)."""

    encoder: Floats
    decoder: Floats
    cross: Floats


def dense(x: Floats, weights: Weights, name: str) -> Floats:
    """Apply the linear layer ``name``."""
    return linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))


class Transformer:
    """The architecture "transformer", with its config and weights."""

    def __init__(self, config: Config, weights: Weights) -> None:
        self.config = config
        self.weights = weights
        self.num_heads: int = config["num_heads"]
        self.pre_norm: bool = config["norm_placement"] == "pre"
        self.encoder_embedding = weights["encoder.embed_tokens.weight"]  # (vocab, hidden)
        self.decoder_embedding = weights.get("decoder.embed_tokens.weight", self.encoder_embedding)
        tied = config["tied_output"]
        self.lm_head = self.decoder_embedding if tied else weights["lm_head.weight"]

    def encode(self, ids: Ids) -> Floats:
        """Return the encoder's states of a source sentence, (src, hidden)."""
        return self._encode(ids)[0]

    def initial_state(self) -> tuple[Cache, ...]:
        """Return the decoder's cache before its first token: an empty Cache per layer."""
        hidden, dtype = self.config["hidden_size"], self.decoder_embedding.dtype
        recurrent = self.config.get("decoder_self_attention", "attention") != "attention"
        size = (hidden,) if recurrent else (self.num_heads, hidden // self.num_heads)
        empty = np.zeros((0, *size), dtype)
        return (Cache(empty, empty),) * int(self.config["decoder_num_layers"])

    def step(
        self, token: int, state: tuple[Cache, ...], encoded: Floats
    ) -> tuple[Floats, tuple[Cache, ...]]:
        """Read one target token after the tokens in the cache.

        encoded (src, hidden). Returns (logits (vocab_size,) of the next token, the extended cache).
        """
        logits, state, _, _ = self.decode([token], state, encoded)
        return logits[0], state

    def logits(self, source_ids: Ids, target_ids: Ids) -> Floats:
        """Return logits (target, vocab_size); row t scores the token after target_ids[: t + 1]."""
        return self.decode(target_ids, self.initial_state(), self.encode(source_ids))[0]

    def attentions(self, source_ids: Ids, target_ids: Ids) -> Attentions:
        """Return the attention weights of every head in every layer."""
        encoded, encoder = self._encode(source_ids)
        _, _, decoder, cross = self.decode(target_ids, self.initial_state(), encoded)
        return Attentions(np.stack(encoder), np.stack(decoder), np.stack(cross))

    def _encode(self, ids: Ids) -> tuple[Floats, list[Floats]]:
        return self.encode_rows(self._embed(ids, 0, self.encoder_embedding, "encoder"))

    def encode_rows(self, x: Floats) -> tuple[Floats, list[Floats]]:
        """Encode embeddings with positions x (src, hidden) to states and weights."""
        attention = []
        for i in range(self.config["encoder_num_layers"]):
            x, weights = self._encoder_layer(x, under(self.weights, f"encoder.layers.{i}."))
            attention.append(weights)
        return self._final_norm(x, "encoder"), attention

    def decode(
        self, tokens: Ids, state: tuple[Cache, ...], encoded: Floats | None
    ) -> tuple[Floats, tuple[Cache, ...], list[Floats], list[Floats]]:
        """Read any number of new tokens after the tokens in the cache.

        encoded (src, hidden); None: no cross-attention, as in a language model. Returns (logits,
        the extended cache, self-attention weights, cross-attention weights).
        """
        x = self._embed(tokens, len(state[0].keys), self.decoder_embedding, "decoder")
        longer, decoder, cross = [], [], []
        for i, cache in enumerate(state):
            weights = under(self.weights, f"decoder.layers.{i}.")
            x, cache, self_weights, cross_weights = self._decoder_layer(x, weights, cache, encoded)
            longer.append(cache)
            decoder.append(self_weights)
            cross += cross_weights
        logits = linear(
            self._final_norm(x, "decoder"), self.lm_head, self.weights.get("lm_head.bias")
        )
        return logits, tuple(longer), decoder, cross

    def _embed(self, ids: Ids, start: int, embedding: Floats, side: str) -> Floats:
        """Return token embeddings plus positions from ``start`` on, (tokens, hidden)."""
        if start + len(ids) > self.config["max_positions"]:
            raise ValueError(
                f"{side} ids end at position {start + len(ids)}, "
                f"expected at most max_positions = {self.config['max_positions']}"
            )
        x: Floats = embedding[np.asarray(ids, np.int64)]  # (tokens, hidden)
        if self.config["scale_embeddings"]:
            x = x * math.sqrt(x.shape[1])
        positions = np.arange(start, start + len(ids)) + self.config["position_offset"]
        if self.config["positions"] == "learned":
            vectors = self.weights[f"{side}.embed_positions.weight"][positions]
        else:
            vectors = sinusoidal(positions, x.shape[1], self.config["position_layout"])
        embedded: Floats = x + vectors.astype(x.dtype)
        norm = under(self.weights, f"{side}.layernorm_embedding.")
        return self._norm(embedded, norm) if self.config.get("embedding_norm") else embedded

    def _encoder_layer(self, x: Floats, weights: Weights) -> tuple[Floats, Floats]:
        """From x (src, hidden) to the next x and attention weights (heads, src, src)."""
        norm, attention = under(weights, "self_attn_layer_norm."), under(weights, "self_attn.")
        query = self._before(x, norm)
        y, self_weights = self._attend(query, self._keys_values(query, attention), attention)
        x = self._after(x + y, norm)
        return self._feed_forward(x, weights), self_weights

    def _decoder_layer(
        self, x: Floats, weights: Weights, cache: Cache, encoded: Floats | None
    ) -> tuple[Floats, Cache, Floats, list[Floats]]:
        """From x (tokens, hidden) to the next x, the longer cache, self weights, cross weights."""
        norm = under(weights, "self_attn_layer_norm.")
        y, cache, self_weights = self._look_back(self._before(x, norm), weights, cache)
        x = self._after(x + y, norm)

        cross = []
        if encoded is not None:
            x, cross_weights = self._cross_attention(x, weights, encoded)
            cross.append(cross_weights)
        return self._feed_forward(x, weights), cache, self_weights, cross

    def _cross_attention(
        self, x: Floats, weights: Weights, encoded: Floats
    ) -> tuple[Floats, Floats]:
        """Attend to the source from x (tokens, hidden).

        Returns the next x and attention weights (heads, tokens, src).
        """
        norm, attention = (
            under(weights, "encoder_attn_layer_norm."),
            under(weights, "encoder_attn."),
        )
        memory = self._keys_values(encoded, attention)
        y, cross_weights = self._attend(self._before(x, norm), memory, attention)
        return self._after(x + y, norm), cross_weights

    def _look_back(self, x: Floats, weights: Weights, cache: Cache) -> tuple[Floats, Cache, Floats]:
        """Self-attention over the past, or a recurrence in its place, which has no weights."""
        kind = self.config.get("decoder_self_attention", "attention")
        if kind == "attention":
            attention = under(weights, "self_attn.")
            new = self._keys_values(x, attention)
            lengths = len(cache.keys) + np.arange(1, len(x) + 1)  # a token sees itself and the past
            cache = Cache(*(np.concatenate(pair) for pair in zip(cache, new, strict=True)))
            y, self_weights = self._attend(x, cache, attention, lengths)
            return y, cache, self_weights
        seen = len(cache.keys)
        before = cache.keys[-1] if seen else np.zeros_like(x[0])
        part = under(weights, f"{kind}.")
        if kind == "ssru":
            y, carried = simple_recurrence(x, before, part)
        else:
            y, carried = average_attention(x, before, seen, part, self.config["activation"])
        longer = np.concatenate([cache.keys, carried])
        return y, Cache(longer, longer), np.zeros((self.num_heads, len(x), 0), x.dtype)

    def _keys_values(self, x: Floats, weights: Weights) -> Cache:
        shape = len(x), self.num_heads, -1
        return Cache(
            dense(x, weights, "k_proj").reshape(shape), dense(x, weights, "v_proj").reshape(shape)
        )

    def _attend(
        self, x: Floats, cache: Cache, weights: Weights, lengths: Integers | None = None
    ) -> tuple[Floats, Floats]:
        """Attend from x (tokens, hidden) to the cache.

        Returns output (tokens, hidden) and weights (heads, tokens, keys).
        """
        query = dense(x, weights, "q_proj").reshape(len(x), self.num_heads, -1)
        context, attention = scaled_dot_attention(query, cache.keys, cache.values, lengths)
        output = dense(context.reshape(len(x), -1), weights, "out_proj")
        return output, attention.transpose(1, 0, 2)

    def _feed_forward(self, x: Floats, weights: Weights) -> Floats:
        norm = under(weights, "final_layer_norm.")
        hidden = dense(self._before(x, norm), weights, "fc1")  # (tokens, intermediate)
        y = dense(ACTIVATIONS[self.config["activation"]](hidden), weights, "fc2")
        return self._after(x + y, norm)

    def _before(self, x: Floats, norm: Weights) -> Floats:
        """Return a block's input: normalised x in a pre-norm model, else x."""
        return self._norm(x, norm) if self.pre_norm else x

    def _after(self, x: Floats, norm: Weights) -> Floats:
        """Return a block's output from the residual sum x: normalised in a post-norm model."""
        return x if self.pre_norm else self._norm(x, norm)

    def _final_norm(self, x: Floats, side: str) -> Floats:
        norm = under(self.weights, f"{side}.layer_norm.")
        return self._norm(x, norm) if self.config["final_norm"] else x

    def _norm(self, x: Floats, norm: Weights) -> Floats:
        return layer_norm(x, norm["weight"], norm.get("bias"), self.config["norm_eps"])
