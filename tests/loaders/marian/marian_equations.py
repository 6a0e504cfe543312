"""Models of Nematus and Marian in NumPy, in float64, by their equations and weight names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.loaders.arrays import Arrays
from tests.loaders.marian.marian_files import EMBEDDING, HIDDEN


def sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    return 1 / (1 + np.exp(-x))


class Nematus:
    """The conditional GRU and the deep output with Nematus' parameter names."""

    def __init__(self, arrays: Arrays) -> None:
        self.p = {name: array.astype(np.float64) for name, array in arrays.items()}

    def gru(self, place: str, x: Any, h: Any, names: str = "W Wx U Ux b bx") -> NDArray[Any]:
        W, Wx, U, Ux, b, bx = (self.p[f"{place}_{name}"] for name in names.split())
        r, u = np.split(sigmoid(x @ W + h @ U + b), 2)
        inside = "nl" in names  # the reset gate multiplies the candidate's bias
        if inside:
            candidate = np.tanh(x @ Wx + r * (h @ Ux + bx))
        else:
            candidate = np.tanh(x @ Wx + bx + r * (h @ Ux))
        return u * h + (1 - u) * candidate

    def encode(self, ids: list[int]) -> NDArray[Any]:
        forward, backward = [np.zeros(HIDDEN)], [np.zeros(HIDDEN)]
        for i in ids:
            forward.append(self.gru("encoder", self.p["Wemb"][i], forward[-1]))
        for i in reversed(ids):
            backward.append(self.gru("encoder_r", self.p["Wemb"][i], backward[-1]))
        return np.concatenate([forward[1:], backward[:0:-1]], axis=1)

    def logits(self, source: list[int], target: list[int]) -> NDArray[Any]:
        """Row t scores what follows the first t tokens; the first embedding is zeros."""
        p, states = self.p, self.encode(source)
        h, rows = np.tanh(states.mean(axis=0) @ p["ff_state_W"] + p["ff_state_b"]), []
        for embedding in [np.zeros(EMBEDDING), *p["Wemb_dec"][target]]:
            between = self.gru("decoder", embedding, h)
            keys = np.tanh(
                states @ p["decoder_Wc_att"]
                + p["decoder_b_att"]
                + between @ p["decoder_W_comb_att"]
            )
            scores = (keys @ p["decoder_U_att"])[:, 0] + p["decoder_c_tt"]
            weights = np.exp(scores) / np.exp(scores).sum()
            context = weights @ states
            h = self.gru("decoder", context, between, "Wc Wcx U_nl Ux_nl b_nl bx_nl")
            parts = {"lstm": h, "prev": embedding, "ctx": context}
            hidden = sum(x @ p[f"ff_logit_{n}_W"] + p[f"ff_logit_{n}_b"] for n, x in parts.items())
            output = p["ff_logit_W"] if "ff_logit_W" in p else p["Wemb_dec"].T
            rows.append(np.tanh(hidden) @ output + p["ff_logit_b"])
        return np.array(rows)


class MarianLSTM(Nematus):
    """A Nematus model with LSTMs and additional layers; a state is [hidden; cell]."""

    def __init__(self, arrays: Arrays, layers: int) -> None:
        super().__init__(arrays)
        self.layers = layers

    def lstm(self, place: str, x: Any, state: Any) -> Any:
        W, U, b = (self.p[f"{place}_{name}"] for name in "WUb")
        h, c = state
        f, i, g, o = np.split((x @ W + h @ U + b)[0], 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    def logits(self, source: list[int], target: list[int]) -> NDArray[Any]:
        p, zero = self.p, (np.zeros(HIDDEN), np.zeros(HIDDEN))
        runs = {"bi": source, "bi_r": source[::-1]}
        for direction, ids in runs.items():
            states = [zero]
            for i in ids:
                states.append(self.lstm(f"encoder_{direction}", p["encoder_Wemb"][i], states[-1]))
            runs[direction] = [h for h, _ in states[1:]]
        states = np.concatenate([runs["bi"], runs["bi_r"][::-1]], axis=1)
        start = np.tanh(states.mean(axis=0) @ p["decoder_ff_state_W"] + p["decoder_ff_state_b"])[0]
        layers, rows = [(start, start)] * self.layers, []
        for embedding in [np.zeros(EMBEDDING), *p["decoder_Wemb"][target]]:
            between = self.lstm("decoder_cell1", embedding, layers[0])
            energy = states @ p["decoder_Wc_att"] + between[0] @ p["decoder_W_comb_att"]
            scores = (np.tanh(energy + p["decoder_b_att"]) @ p["decoder_U_att"])[:, 0]
            context = np.exp(scores) / np.exp(scores).sum() @ states
            layers[0] = self.lstm("decoder_cell2", context, between)
            for k in range(1, self.layers):
                place = f"decoder_l{k + 1}_cell1"
                layers[k] = self.lstm(place, layers[k - 1][0], layers[k])
            hidden = sum(
                x @ p[f"decoder_ff_logit_l1_W{i}"] + p[f"decoder_ff_logit_l1_b{i}"]
                for i, x in enumerate((embedding, layers[-1][0], context))
            )
            rows.append(
                (np.tanh(hidden) @ p["decoder_ff_logit_l2_W"] + p["decoder_ff_logit_l2_b"])[0]
            )
        return np.array(rows)


class MarianTransformer:
    """A post-norm Transformer; its decoder has self-attention, an SSRU or average attention."""

    def __init__(self, arrays: Arrays, kind: str, heads: int = 2) -> None:
        self.p = {name: array.astype(np.float64) for name, array in arrays.items()}
        self.kind, self.heads = kind, heads

    def affine(self, x: Any, place: str, part: str) -> NDArray[Any]:
        return x @ self.p[f"{place}_W{part}"] + self.p[f"{place}_b{part}"]

    def norm(self, x: Any, place: str) -> NDArray[Any]:
        centred = x - x.mean(axis=1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-6)
        return centred / deviation * self.p[f"{place}_ln_scale"] + self.p[f"{place}_ln_bias"]

    def embed(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Embeddings times sqrt(size), plus positions: sines, then cosines."""
        half = rows.shape[1] // 2
        rates = np.exp(np.arange(half) * -(math.log(10000) / (half - 1)))
        angles = np.arange(len(rows))[:, None] * rates
        return rows * math.sqrt(rows.shape[1]) + np.hstack([np.sin(angles), np.cos(angles)])

    def attention(self, x: Any, memory: Any, place: str, causal: bool = False) -> NDArray[Any]:
        parts = [
            self.affine(rows, place, n) for rows, n in ((x, "q"), (memory, "k"), (memory, "v"))
        ]
        query, key, value = (np.split(part, self.heads, axis=1) for part in parts)
        context = []
        for q, k, v in zip(query, key, value, strict=True):
            scores = q @ k.T / math.sqrt(q.shape[1])
            if causal:
                scores[np.triu_indices(len(x), 1)] = -np.inf
            weights = np.exp(scores - scores.max(axis=1, keepdims=True))
            context.append(weights / weights.sum(axis=1, keepdims=True) @ v)
        y = self.affine(np.hstack(context), place, "o")
        return self.norm(x + y, f"{place}_Wo")

    def look_back(self, x: Any, place: str) -> NDArray[Any]:
        if self.kind == "self-attention":
            return self.attention(x, x, f"{place}_self", causal=True)
        if self.kind == "rnn":
            place, cell, y = f"{place}_rnn", np.zeros(x.shape[1]), []
            for row, f in zip(x, sigmoid(self.affine(x, place, "f")), strict=True):
                cell = f * cell + (1 - f) * (row @ self.p[f"{place}_W"])
                y.append(np.maximum(cell, 0))
            return self.norm(x + np.array(y), f"{place}_ffn")
        place = f"{place}_aan"
        means = np.cumsum(x, axis=0) / np.arange(1, len(x) + 1)[:, None]
        y = self.affine(swish(self.affine(means, place, "1")), place, "2")
        gates = sigmoid(self.affine(x, place, "i")), sigmoid(self.affine(y, place, "f"))
        return self.norm(x + gates[0] * x + gates[1] * y, f"{place}_ffn")

    def feed_forward(self, x: Any, place: str) -> NDArray[Any]:
        y = self.affine(swish(self.affine(x, f"{place}_ffn", "1")), f"{place}_ffn", "2")
        return self.norm(x + y, f"{place}_ffn_ffn")

    def logits(self, source: list[int], target: list[int]) -> NDArray[Any]:
        """Row t scores what follows the first t tokens; the first embedding is zeros."""
        states = self.embed(self.p["encoder_Wemb"][source])
        for layer in (1, 2):
            states = self.attention(states, states, f"encoder_l{layer}_self")
            states = self.feed_forward(states, f"encoder_l{layer}")
        words = self.p["decoder_Wemb"][target]
        x = self.embed(np.vstack([np.zeros(words.shape[1]), words]))
        for layer in (1, 2):
            place = f"decoder_l{layer}"
            x = self.attention(self.look_back(x, place), states, f"{place}_context")
            x = self.feed_forward(x, place)
        return self.affine(x, "decoder_ff_logit_out", "")


def swish(x: NDArray[Any]) -> NDArray[Any]:
    return x * sigmoid(x)
