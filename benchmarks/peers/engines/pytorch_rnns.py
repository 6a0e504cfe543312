"""RNNs as plain PyTorch modules, with one step for all hypotheses of a batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}
OUTSIDE = -1e9  # score of a position beyond a sentence's end


def load(module: nn.Module, weights: dict[str, Tensor], prefix: str) -> Any:
    """Load the weights with names below the prefix into the module."""
    module.load_state_dict(
        {name[len(prefix) :]: w for name, w in weights.items() if name.startswith(prefix)}
    )
    return module


def linear(weights: dict[str, Tensor], name: str) -> nn.Linear:
    out, size = weights[f"{name}.weight"].shape
    module = nn.Linear(size, out, bias=f"{name}.bias" in weights)
    loaded: nn.Linear = load(module, weights, f"{name}.")
    return loaded


def embedding(weights: dict[str, Tensor], name: str) -> nn.Embedding:
    table = weights[f"{name}.weight"]
    return nn.Embedding(len(table), table.shape[1], _weight=table)


class LanguageModel(nn.Module):
    def __init__(self, config: dict[str, Any], weights: dict[str, Tensor]) -> None:
        super().__init__()
        size, hidden, layers = (
            config[f"{key}"] for key in ("embedding_size", "hidden_size", "num_layers")
        )
        self.embedding = embedding(weights, "embedding")
        cell = CELLS[config["cell"]](size, hidden, layers, batch_first=True)
        self.rnn = load(cell, weights, "rnn.")
        self.output = nn.Linear(hidden, config["vocab_size"])
        self.output.weight = self.embedding.weight
        self.output.bias.data.copy_(weights["output.bias"])

    def forward(self, tokens: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, ...]:
        """Tokens (rows, length), a state (layers, rows, hidden) -> logits and the new state."""
        states, (hidden, cell) = self.rnn(self.embedding(tokens), (hidden, cell))
        return self.output(states), hidden, cell


class Encoder(nn.Module):
    """Encodes sources for attention, and gives the decoder's first state."""

    def __init__(self, config: dict[str, Any], weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.config = config
        self.embedding = embedding(weights, "encoder.embedding")
        cell = CELLS[config["cell"]](
            config["source_embedding_size"],
            config["encoder_hidden_size"],
            config["encoder_num_layers"],
            batch_first=True,
            bidirectional=config["bidirectional"],
        )
        self.rnn = load(cell, weights, "encoder.rnn.")
        additive = config["attention"] == "additive"
        self.key = linear(weights, "decoder.attention.key") if additive else None
        self.query = weights["decoder.attention.query.weight"]
        self.bridge = linear(weights, "bridge.hidden") if additive else None

    def forward(
        self, source: Tensor, lengths: Tensor, mask: Tensor
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Source (batch, src), longest first; mask (batch, src) is 1 at tokens.

        Returns (states, keys, added scores), all (batch, src, ...), and the decoder's state,
        rows first.
        """
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(source), lengths, True)
        output, final = self.rnn(packed)
        states, _ = nn.utils.rnn.pad_packed_sequence(output, batch_first=True)
        scores = (1 - mask) * OUTSIDE
        if self.key is not None and self.bridge is not None:
            mean = (states * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
            return (states, self.key(states), scores), (torch.tanh(self.bridge(mean)),)
        keys = states @ self.query  # applies the query's projection to the source, once
        feed = torch.zeros(len(source), self.config["readout_size"])
        return (states, keys, scores), (*(part.transpose(0, 1) for part in final), feed)


class Bahdanau(nn.Module):
    """A GRU that reads [embedding; context], and a readout."""

    def __init__(self, config: dict[str, Any], weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.embedding = embedding(weights, "decoder.embedding")
        self.query = linear(weights, "decoder.attention.query")
        self.vector = weights["decoder.attention.vector"]
        size = weights["decoder.rnn.weight_ih_l0"].shape[1]
        self.rnn = load(nn.GRU(size, config["decoder_hidden_size"]), weights, "decoder.rnn.")
        self.readout = linear(weights, "decoder.readout")
        self.output = linear(weights, "decoder.output")

    def forward(
        self, tokens: Tensor, hidden: Tensor, states: Tensor, keys: Tensor, scores: Tensor
    ) -> tuple[Tensor, ...]:
        """Tokens (rows,), hidden (rows, size) -> logits, state; rows = batch * beam."""
        batch, rows = len(states), len(tokens)
        embedding = self.embedding(tokens)
        query = self.query(hidden).view(batch, rows // batch, 1, -1)
        added = torch.tanh(query + keys.unsqueeze(1)) @ self.vector  # (batch, beam, src)
        attention = torch.softmax(added + scores.unsqueeze(1), -1)
        context = torch.bmm(attention, states).view(rows, -1)
        read = torch.cat([embedding, context], -1).unsqueeze(0)
        _, new = self.rnn(read, hidden.unsqueeze(0).contiguous())
        together = torch.cat([new[0], context, embedding], -1)
        return self.output(torch.tanh(self.readout(together))), new[0]


class Luong(nn.Module):
    """An LSTM that reads [embedding; readout of the previous step]."""

    def __init__(self, config: dict[str, Any], weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.embedding = embedding(weights, "decoder.embedding")
        size = weights["decoder.rnn.weight_ih_l0"].shape[1]
        stack = nn.LSTM(size, config["decoder_hidden_size"], config["decoder_num_layers"])
        self.rnn = load(stack, weights, "decoder.rnn.")
        self.readout = linear(weights, "decoder.readout")
        self.output = linear(weights, "decoder.output")

    def forward(
        self,
        tokens: Tensor,
        hidden: Tensor,
        cell: Tensor,
        feed: Tensor,
        states: Tensor,
        keys: Tensor,
        scores: Tensor,
    ) -> tuple[Tensor, ...]:
        """Like `Bahdanau`, with hidden and cell (rows, layers, size) and feed (rows, readout)."""
        batch, rows = len(states), len(tokens)
        read = torch.cat([self.embedding(tokens), feed], -1).unsqueeze(0)
        before = (hidden.transpose(0, 1).contiguous(), cell.transpose(0, 1).contiguous())
        output, (new_hidden, new_cell) = self.rnn(read, before)
        query = output[0].view(batch, rows // batch, -1)
        attention = torch.softmax(query @ keys.transpose(1, 2) + scores.unsqueeze(1), -1)
        context = torch.bmm(attention, states).view(rows, -1)
        readout = torch.tanh(self.readout(torch.cat([context, output[0]], -1)))
        logits = self.output(readout)
        return logits, new_hidden.transpose(0, 1), new_cell.transpose(0, 1), readout
