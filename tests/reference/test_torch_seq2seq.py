"""The reference against Bahdanau's and Luong's models written by hand in PyTorch, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attnengine.reference.random_weights import random_weights
from attnengine.reference.rnn_seq2seq import RnnSeq2Seq

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.peers

CONFIG: dict[str, Any] = {
    "architecture": "rnn_seq2seq",
    "source_vocab_size": 9,
    "target_vocab_size": 12,
    "source_embedding_size": 5,
    "target_embedding_size": 7,
    "cell": "lstm",
    "nonlinearity": "tanh",
    "encoder_hidden_size": 3,
    "encoder_num_layers": 2,
    "bidirectional": True,
    "decoder_hidden_size": 6,
    "decoder_num_layers": 2,
    "bridge_input": "final",
    "bridge_activation": "none",
    "bridge_cell": "own",
    "attention_size": 4,
    "readout_activation": "tanh",
    "readout_size": 7,
    "tied_output": False,
    "max_positions": None,
}
SOURCE, TARGET = [1, 8, 0, 4], [2, 2, 11, 0, 5]


class Peer:
    """A bidirectional LSTM encoder, an LSTM decoder of cells, one of four attention scores."""

    def __init__(self, config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
        self.config = config
        self.w = {name: torch.from_numpy(w) for name, w in weights.items()}
        self.encoder = torch.nn.LSTM(5, 3, 2, bidirectional=True, dtype=torch.float64)
        self.load(self.encoder, "encoder.rnn.")
        size = self.w["decoder.rnn.weight_ih_l0"].shape[1]
        self.cells = [torch.nn.LSTMCell(n, 6, dtype=torch.float64) for n in (size, 6)]
        for k, cell in enumerate(self.cells):
            self.load(cell, "decoder.rnn.", f"_l{k}")

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

    def run(self, source: list[int], target: list[int]) -> tuple[Any, Any]:
        states, (hidden, cell) = self.encoder(self.w["encoder.embedding.weight"][source])
        layers = [
            (torch.cat([*hidden[2 * k : 2 * k + 2]]), torch.cat([*cell[2 * k : 2 * k + 2]]))
            for k in range(2)
        ]
        previous = self.config["attention_query"] == "previous"
        feed = torch.zeros(7, dtype=torch.float64)
        rows, attention = [], []
        for token in target:
            embedding = self.w["decoder.embedding.weight"][token]
            x = embedding
            if previous:
                context, weights = self.attend(layers[-1][0], states)
                x = torch.cat([embedding, context])
            if self.config["input_feeding"]:
                x = torch.cat([embedding, feed])
            for k, module in enumerate(self.cells):
                layers[k] = module(x, layers[k])
                x = layers[k][0]
            if not previous:
                context, weights = self.attend(x, states)
            parts = {"hidden": x, "context": context, "embedding": embedding}
            together = torch.cat([parts[name] for name in self.config["readout_inputs"]])
            feed = torch.tanh(self.linear(together, "decoder.readout"))
            rows.append(self.linear(feed, "decoder.output"))
            attention.append(weights)
        return torch.stack(rows), torch.stack(attention)


BAHDANAU = {
    "attention_query": "previous",
    "input_feeding": False,
    "readout_inputs": ["hidden", "context", "embedding"],
}
LUONG = {
    "attention_query": "new",
    "input_feeding": True,
    "readout_inputs": ["context", "hidden"],
}


@pytest.mark.parametrize("style", [BAHDANAU, LUONG])
@pytest.mark.parametrize("attention", ["additive", "dot", "general", "concat"])
def test_all_scores(attention: str, style: dict[str, Any]) -> None:
    config = CONFIG | style | {"attention": attention}
    weights = {k: w.astype(np.float64) for k, w in random_weights(config, 0).items()}
    model = RnnSeq2Seq(config, weights)
    with torch.no_grad():
        logits, weights_over_source = Peer(config, weights).run(SOURCE, TARGET)
    # float64 on both sides: only the order of sums differs
    np.testing.assert_allclose(model.logits(SOURCE, TARGET), logits.numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(
        model.attention(SOURCE, TARGET), weights_over_source.numpy(), rtol=1e-10, atol=1e-12
    )
