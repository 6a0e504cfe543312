"""The models in PyTorch in float64, with our weight names; tests skip without torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

Weights = dict[str, NDArray[np.float64]]

STACKS = {"elman": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
CELLS = {"elman": torch.nn.RNNCell, "gru": torch.nn.GRUCell, "lstm": torch.nn.LSTMCell}


def weights_of(module: Any) -> Weights:
    return {name: p.detach().numpy() for name, p in module.named_parameters()}


def rounded(module: Any) -> Any:
    """The module with weights rounded to float32, so that both sides compute with equal weights."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(parameter.float())
    return module


def rnn_stack(cell: str, nonlinearity: str, *sizes: int, **options: Any) -> Any:
    """torch.nn.RNN, GRU or LSTM; `sizes` are input size, hidden size and, optionally, layers."""
    extra = {"nonlinearity": nonlinearity} if cell == "elman" else {}
    return STACKS[cell](*sizes, dtype=torch.float64, **options, **extra)


class RnnSeq2SeqPeer:
    """An RNN encoder, a decoder of cells and one of four attention scores, written by hand.

    The decoder starts from the encoder's final states, unchanged.
    """

    def __init__(self, config: dict[str, Any], weights: Weights) -> None:
        self.config = config
        self.w = {name: torch.from_numpy(w) for name, w in weights.items()}
        self.encoder = rnn_stack(
            config["cell"],
            config["nonlinearity"],
            config["source_embedding_size"],
            config["encoder_hidden_size"],
            config["encoder_num_layers"],
            bidirectional=config["bidirectional"],
        )
        self.load(self.encoder, "encoder.rnn.")
        size, hidden = self.w["decoder.rnn.weight_ih_l0"].shape[1], config["decoder_hidden_size"]
        kind = CELLS[config["cell"]]
        self.cells = [
            kind(hidden if k else size, hidden, dtype=torch.float64)
            for k in range(config["decoder_num_layers"])
        ]
        for k, cell in enumerate(self.cells):
            self.load(cell, "decoder.rnn.", f"_l{k}")
        if config["attention_query"] == "between":
            context = config["encoder_hidden_size"] * (2 if config["bidirectional"] else 1)
            self.transition = kind(context, hidden, dtype=torch.float64)
            self.load(self.transition, "decoder.transition.", "_l0")

    def load(self, module: Any, prefix: str, suffix: str = "") -> None:
        names = [name for name, _ in module.named_parameters()]
        module.load_state_dict({name: self.w[f"{prefix}{name}{suffix}"] for name in names})

    def linear(self, x: Any, name: str) -> Any:
        return torch.nn.functional.linear(x, self.w[f"{name}.weight"], self.w.get(f"{name}.bias"))

    def score(self, hidden: Any, state: Any) -> Any:
        kind, prefix = self.config["attention"], "decoder.attention"
        if kind == "additive":  # Bahdanau: v . tanh(W s + U h)
            query = self.linear(hidden, f"{prefix}.query")
            key = self.linear(state, f"{prefix}.key")
            return self.w[f"{prefix}.vector"] @ torch.tanh(query + key)
        if kind == "concat":  # Luong: v . tanh(W [s; h])
            pair = torch.cat([hidden, state])
            return self.w[f"{prefix}.vector"] @ torch.tanh(self.linear(pair, f"{prefix}.concat"))
        query = self.linear(hidden, f"{prefix}.query") if kind == "general" else hidden
        return query @ state

    def attend(self, hidden: Any, states: Any) -> tuple[Any, Any]:
        scores = torch.stack([self.score(hidden, state) for state in states])
        weights = torch.softmax(scores, dim=0)
        return weights @ states, weights

    def first_states(self, final: Any) -> list[Any]:
        """The final states of both directions, concatenated, for each layer."""
        layers = self.config["decoder_num_layers"]
        if self.config["cell"] == "lstm":
            hidden, cell = (part.reshape(layers, -1) for part in final)
            return list(zip(hidden, cell, strict=True))
        return list(final.reshape(layers, -1))

    def hidden(self, layer: Any) -> Any:
        return layer[0] if self.config["cell"] == "lstm" else layer

    def step(self, token: int, layers: list[Any], feed: Any, states: Any) -> tuple[Any, Any]:
        """The new readout and the attention weights; the call changes `layers` in place."""
        embedding = x = self.w["decoder.embedding.weight"][token]
        query = self.config["attention_query"]
        if query == "previous":
            context, weights = self.attend(self.hidden(layers[-1]), states)
            x = torch.cat([x, context])
        if self.config["input_feeding"]:
            x = torch.cat([x, feed])
        for k, module in enumerate(self.cells):
            layers[k] = module(x, layers[k])
            if query == "between" and k == 0:
                context, weights = self.attend(self.hidden(layers[0]), states)
                layers[0] = self.transition(context, layers[0])
            x = self.hidden(layers[k])
        if query == "new":
            context, weights = self.attend(x, states)
        parts = {"hidden": x, "context": context, "embedding": embedding}
        together = torch.cat([parts[name] for name in self.config["readout_inputs"]])
        return self.activated(self.linear(together, "decoder.readout")), weights

    def activated(self, x: Any) -> Any:
        if self.config["readout_activation"] == "maxout":
            return torch.maximum(x[0::2], x[1::2])
        return torch.tanh(x)

    def run(self, source: list[int], target: list[int]) -> tuple[Any, Any]:
        """Logits (target, vocab_size) and attention (target, source)."""
        with torch.no_grad():
            states, final = self.encoder(self.w["encoder.embedding.weight"][source])
            layers = self.first_states(final)
            feed = torch.zeros(self.config["readout_size"], dtype=torch.float64)
            rows, attention = [], []
            for token in target:
                feed, weights = self.step(token, layers, feed, states)
                rows.append(self.linear(feed, "decoder.output"))
                attention.append(weights)
            return torch.stack(rows).numpy(), torch.stack(attention).numpy()


# Config keys that every TransformerPeer shares; tests add the switches.
TRANSFORMER_PEER = {
    "architecture": "transformer",
    "source_vocab_size": 11,
    "target_vocab_size": 11,
    "hidden_size": 8,
    "intermediate_size": 16,
    "encoder_num_layers": 2,
    "decoder_num_layers": 2,
    "num_heads": 2,
    "norm_eps": 1e-5,
    "positions": "learned",
    "position_layout": None,
    "position_offset": 0,
    "max_positions": 6,
    "scale_embeddings": False,
    "shared_embeddings": True,
    "tied_output": True,
}


class TransformerPeer:
    """torch.nn.TransformerEncoder and TransformerDecoder that share one embedding."""

    def __init__(self, config: dict[str, Any]) -> None:
        options: dict[str, Any] = {
            "dropout": 0.0,
            "dtype": torch.float64,
            "activation": config["activation"],
            "norm_first": config["norm_placement"] == "pre",
        }
        layers = [
            torch.nn.TransformerEncoderLayer(8, 2, 16, **options),
            torch.nn.TransformerDecoderLayer(8, 2, 16, **options),
        ]
        norms = [
            torch.nn.LayerNorm(8, dtype=torch.float64) if config["final_norm"] else None
            for _ in layers
        ]
        self.encoder = torch.nn.TransformerEncoder(
            layers[0], 2, norms[0], enable_nested_tensor=False
        )
        self.decoder = torch.nn.TransformerDecoder(layers[1], 2, norms[1])
        for parameter in [*self.encoder.parameters(), *self.decoder.parameters()]:
            torch.nn.init.normal_(parameter, std=0.5)
        rounded(self.encoder)
        rounded(self.decoder)
        self.embedding = torch.randn(11, 8).double()
        self.positions = torch.randn(6, 8).double()

    def weights(self) -> Weights:
        weights = canonical(self.encoder, "encoder") | canonical(self.decoder, "decoder")
        for side in ("encoder", "decoder"):
            weights[f"{side}.embed_positions.weight"] = self.positions.numpy()
        return weights | {"encoder.embed_tokens.weight": self.embedding.numpy()}

    def logits(self, source: list[int], target: list[int]) -> Any:
        with torch.no_grad():
            memory = self.encoder(self.embedding[source] + self.positions[: len(source)])
            blocked = torch.ones(len(target), len(target), dtype=torch.bool).triu(1)
            rows = self.embedding[target] + self.positions[: len(target)]
            return (self.decoder(rows, memory, tgt_mask=blocked) @ self.embedding.T).numpy()


def canonical(module: Any, side: str) -> Weights:
    """Weights of torch.nn.TransformerEncoder or TransformerDecoder by our names."""
    attentions = {"self_attn": "self_attn", "multihead_attn": "encoder_attn"}
    norms = ["self_attn", "encoder_attn", "final"] if side == "decoder" else ["self_attn", "final"]
    renamed = {"linear1": "fc1", "linear2": "fc2"}
    for i, name in enumerate(norms, start=1):
        renamed[f"norm{i}"] = "final_layer_norm" if name == "final" else f"{name}_layer_norm"
    weights = {}
    for name, w in weights_of(module).items():
        if name.startswith("norm."):
            weights[f"{side}.layer_norm.{name[5:]}"] = w
            continue
        _, i, part, rest = name.split(".", 3)
        start = f"{side}.layers.{i}.{attentions.get(part, renamed.get(part))}"
        if rest.startswith("in_proj"):
            for projection, block in zip("qkv", np.split(w, 3), strict=True):
                weights[f"{start}.{projection}_proj.{rest[8:]}"] = block
        else:
            weights[f"{start}.{rest}"] = w
    return weights
