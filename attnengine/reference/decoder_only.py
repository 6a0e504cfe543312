"""Decoder-only Transformers with Hugging Face's config keys and weight names.

``DecoderOnly`` has the loop over layers and the cache. A family defines the embedding, the layer
and the output.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from attnengine.reference.activations import ACTIVATIONS
from attnengine.reference.arrays import Floats, Integers
from attnengine.reference.attention import scaled_dot_attention
from attnengine.reference.experts import experts
from attnengine.reference.linear import linear
from attnengine.reference.norm import layer_norm, rms_norm
from attnengine.reference.rotary import Doubles, dynamic_frequencies, rotary_frequencies, rotate
from attnengine.reference.transformer import Cache, Ids, dense
from attnengine.reference.weights import Config, Weights, under

State = tuple[Cache, ...]  # one per layer
EXPERTS = "gate.weight", "experts.gate_up_proj", "experts.down_proj"


class Family(Protocol):
    """The parts that differ between architectures."""

    def empty_state(self) -> State:
        """Return the empty cache of every layer."""
        ...  # pragma: no cover

    def embed(self, ids: Integers, positions: Integers) -> Floats:
        """Embed tokens at positions: (tokens, hidden)."""
        ...  # pragma: no cover

    def layer(
        self, x: Floats, positions: Integers, layer: int, past: Cache
    ) -> tuple[Floats, Cache]:
        """Apply a layer to x (tokens, hidden); return the next x and the extended cache."""
        ...  # pragma: no cover

    def logits(self, x: Floats) -> Floats:
        """Turn the last layer's output (tokens, hidden) into logits (tokens, vocab_size)."""
        ...  # pragma: no cover


class DecoderOnly:
    """The architectures "llama", "mistral", "mixtral", "qwen2" and "gpt2"."""

    def __init__(self, config: Config, weights: Weights) -> None:
        is_gpt2 = config["architecture"] == "gpt2"
        self.family: Family = GPT2(config, weights) if is_gpt2 else Llama(config, weights)

    def initial_state(self) -> State:
        """Return the cache before the first token: an empty Cache per layer."""
        return self.family.empty_state()

    def step(self, token: int, state: State) -> tuple[Floats, State]:
        """Read one token after the tokens in the cache.

        Returns (logits (vocab_size,) of the next token, the extended cache).
        """
        logits, state = self._read([token], state)
        return logits[0], state

    def logits(self, ids: Ids) -> Floats:
        """Return logits (tokens, vocab_size); row t scores the token after ids[: t + 1]."""
        return self._read(ids, self.initial_state())[0]

    def _read(self, ids: Ids, state: State) -> tuple[Floats, State]:
        """Read any number of new tokens after the tokens in the cache."""
        start = len(state[0].keys)
        positions = np.arange(start, start + len(ids))
        x = self.family.embed(np.asarray(ids, np.int64), positions)
        longer = []
        for i, past in enumerate(state):
            x, cache = self.family.layer(x, positions, i, past)
            longer.append(cache)
        return self.family.logits(x), tuple(longer)


class Llama:
    """Pre-norm with RMS norms, rotary positions, shared key/value heads, gated feed-forward.

    The formulas are those of Touvron et al. 2023. Qwen2 adds biases to queries, keys and values.
    Mistral has a sliding window; Mixtral also has experts.
    """

    def __init__(self, config: Config, weights: Weights) -> None:
        self.config = config
        self.weights = weights
        self.num_heads: int = config["num_attention_heads"]
        self.num_kv_heads: int = config.get("num_key_value_heads") or self.num_heads
        self.head_dim: int = config.get("head_dim") or config["hidden_size"] // self.num_heads
        self.base: float = config.get("rope_theta", 10_000.0)
        self.scaling: Config = config.get("rope_scaling") or {}
        self.frequencies, self.factor = rotary_frequencies(self.head_dim, self.base, self.scaling)
        self.window: int = config.get("sliding_window") or 0
        self.embedding = weights["model.embed_tokens.weight"]  # (vocab, hidden)
        tied = config.get("tie_word_embeddings", False)
        self.lm_head = self.embedding if tied else weights["lm_head.weight"]

    def empty_state(self) -> State:
        """Return empty caches with num_kv_heads heads, which groups of query heads share."""
        empty = np.zeros((0, self.num_kv_heads, self.head_dim), self.embedding.dtype)
        return (Cache(empty, empty),) * int(self.config["num_hidden_layers"])

    def embed(self, ids: Integers, positions: Integers) -> Floats:
        """Return token embeddings; positions only rotate queries and keys."""
        x: Floats = self.embedding[ids]
        return x

    def layer(
        self, x: Floats, positions: Integers, layer: int, past: Cache
    ) -> tuple[Floats, Cache]:
        """Self-attention, then the gated feed-forward network."""
        weights = under(self.weights, f"model.layers.{layer}.")
        attention = under(weights, "self_attn.")

        y = self._norm(x, weights["input_layernorm.weight"])
        query, keys, values = (
            dense(y, attention, name).reshape(len(y), -1, self.head_dim)
            for name in ("q_proj", "k_proj", "v_proj")
        )
        query, keys = (
            rotate(heads, positions, self._frequencies(positions), self.factor)
            for heads in (query, keys)
        )
        context, cache = attend(query, Cache(keys, values), past, self.window)
        x = x + dense(context, attention, "o_proj")

        y = self._norm(x, weights["post_attention_layernorm.weight"])
        return x + self._feed_forward(y, under(weights, "mlp.")), cache

    def _frequencies(self, positions: Integers) -> Doubles:
        """Return the frequencies (half,) of all positions, or (rows, half) of each."""
        if self.scaling.get("rope_type") != "dynamic":
            return self.frequencies
        return dynamic_frequencies(
            positions,
            self.frequencies,
            self.base,
            self.scaling["factor"],
            self.config["max_position_embeddings"],
        )

    def _feed_forward(self, y: Floats, weights: Weights) -> Floats:
        """The gated feed-forward network, or a mixture of such experts."""
        activation = self.config.get("hidden_act", "silu")
        if "num_local_experts" in self.config:
            router, gate_up, down = (weights[name] for name in EXPERTS)
            count = self.config["num_experts_per_tok"]
            return experts(y, router, gate_up, down, count, activation)
        gate = ACTIVATIONS[activation](dense(y, weights, "gate_proj"))
        return dense(gate * dense(y, weights, "up_proj"), weights, "down_proj")

    def logits(self, x: Floats) -> Floats:
        """A last norm, then the output layer."""
        return linear(self._norm(x, self.weights["model.norm.weight"]), self.lm_head)

    def _norm(self, x: Floats, weight: Floats) -> Floats:
        return rms_norm(x, weight, self.config["rms_norm_eps"])


class GPT2:
    """Pre-norm with layer norms, learned positions, GELU (Radford et al. 2019).

    Weights of linear layers are (in, out). One layer computes queries, keys and values.
    """

    def __init__(self, config: Config, weights: Weights) -> None:
        self.config = config
        self.weights = under(weights, "transformer.")
        self.num_heads: int = config["n_head"]
        self.embedding = self.weights["wte.weight"]  # (vocab, hidden)
        tied = config.get("tie_word_embeddings", True)
        self.lm_head = self.embedding if tied else weights["lm_head.weight"]

    def empty_state(self) -> State:
        """Return empty caches; every head has its own keys and values."""
        head_dim = self.config["n_embd"] // self.num_heads
        empty = np.zeros((0, self.num_heads, head_dim), self.embedding.dtype)
        return (Cache(empty, empty),) * int(self.config["n_layer"])

    def embed(self, ids: Integers, positions: Integers) -> Floats:
        """Return token embeddings plus learned position embeddings."""
        x: Floats = self.embedding[ids] + self.weights["wpe.weight"][positions]
        return x

    def layer(
        self, x: Floats, positions: Integers, layer: int, past: Cache
    ) -> tuple[Floats, Cache]:
        """Self-attention, then the feed-forward network."""
        weights = under(self.weights, f"h.{layer}.")
        together = transposed_dense(self._norm(x, weights, "ln_1"), weights, "attn.c_attn")
        query, keys, values = (
            part.reshape(len(x), self.num_heads, -1) for part in np.split(together, 3, axis=-1)
        )
        context, cache = attend(self._scaled(query, layer), Cache(keys, values), past)
        x = x + transposed_dense(context, weights, "attn.c_proj")

        activation = ACTIVATIONS[self.config.get("activation_function", "gelu_new")]
        hidden = transposed_dense(self._norm(x, weights, "ln_2"), weights, "mlp.c_fc")
        return x + transposed_dense(activation(hidden), weights, "mlp.c_proj"), cache

    def logits(self, x: Floats) -> Floats:
        """A last norm, then the output layer."""
        return linear(self._norm(x, self.weights, "ln_f"), self.lm_head)

    def _scaled(self, query: Floats, layer: int) -> Floats:
        """Return queries for scores that are scaled as the switches of the config say."""
        if not self.config.get("scale_attn_weights", True):
            query = query * np.sqrt(query.shape[-1])  # attention divides by it
        if self.config.get("scale_attn_by_inverse_layer_idx", False):
            query = query / (layer + 1)
        return query

    def _norm(self, x: Floats, weights: Weights, name: str) -> Floats:
        eps = self.config.get("layer_norm_epsilon", 1e-5)
        return layer_norm(x, weights[f"{name}.weight"], weights[f"{name}.bias"], eps)


def transposed_dense(x: Floats, weights: Weights, name: str) -> Floats:
    """Apply the linear layer ``name``, which stores its weight as (in, out)."""
    return linear(x, weights[f"{name}.weight"].T, weights[f"{name}.bias"])


def attend(query: Floats, new: Cache, past: Cache, window: int = 0) -> tuple[Floats, Cache]:
    """Causal attention; query head h reads key/value head h // (heads / kv_heads).

    query (tokens, heads, head_dim), new and past (positions, kv_heads, head_dim). With a window, a
    token sees itself and the window - 1 tokens before it.
    Returns (context (tokens, heads * head_dim), the extended cache).
    """
    cache = Cache(*(np.concatenate(pair) for pair in zip(past, new, strict=True)))
    lengths = len(past.keys) + np.arange(1, len(query) + 1)  # a token sees itself and the past
    group = query.shape[1] // cache.keys.shape[1]
    keys, values = (np.repeat(heads, group, axis=1) for heads in cache)
    gone = lengths[:, None] - np.arange(len(keys)) > (window or len(keys))  # (tokens, positions)
    bias = np.where(gone, -np.inf, 0.0).astype(query.dtype)[:, None]
    context, _ = scaled_dot_attention(query, keys, values, lengths, bias=bias)
    return context.reshape(len(query), -1), cache
