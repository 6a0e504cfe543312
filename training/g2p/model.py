"""RNN encoder-decoder with additive attention (Bahdanau et al. 2015) in PyTorch.

Parameters have the names and shapes of attnengine's native folder, so export.py only writes
``state_dict()`` to disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from training.g2p.data import BOS, EOS, PAD


@dataclass(frozen=True)
class Sizes:
    """Sizes of the model; each of the two directions has ``encoder_hidden_size``."""

    source_vocab_size: int
    target_vocab_size: int
    embedding_size: int = 64
    encoder_hidden_size: int = 144
    decoder_hidden_size: int = 256
    attention_size: int = 128
    readout_size: int = 256

    @property
    def encoder_size(self) -> int:
        """Size of an encoder state, both directions together."""
        return 2 * self.encoder_hidden_size


class Memory(NamedTuple):
    """The encoded source for the decoder's attention."""

    values: Tensor  # (words, src, encoder_size)
    keys: Tensor  # (words, src, attention_size)
    padding: Tensor  # (words, src) true beyond the end of a word


class Encoder(nn.Module):
    """Bidirectional GRU over letters."""

    def __init__(self, sizes: Sizes, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(sizes.source_vocab_size, sizes.embedding_size)
        self.rnn = nn.GRU(
            sizes.embedding_size, sizes.encoder_hidden_size, batch_first=True, bidirectional=True
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """States (words, src, encoder_size), and the final states (words, encoder_size)."""
        embedded = self.dropout(self.embedding(source))
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        packed_states, final = self.rnn(packed)  # final (2, words, encoder_hidden_size)
        states, _ = pad_packed_sequence(packed_states, batch_first=True)
        return self.dropout(states), torch.cat([final[0], final[1]], dim=-1)


class Attention(nn.Module):
    """score = vector . tanh(query W_q + state W_k + b)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.query = nn.Linear(sizes.decoder_hidden_size, sizes.attention_size, bias=False)
        self.key = nn.Linear(sizes.encoder_size, sizes.attention_size)
        self.vector = nn.Parameter(torch.empty(sizes.attention_size).uniform_(-0.1, 0.1))

    def forward(self, hidden: Tensor, memory: Memory) -> Tensor:
        """Context (words, encoder_size) for hidden (words, decoder_hidden_size)."""
        scores = torch.tanh(self.query(hidden)[:, None, :] + memory.keys) @ self.vector
        weights = scores.masked_fill(memory.padding, -torch.inf).softmax(dim=-1)  # (words, src)
        return torch.bmm(weights[:, None, :], memory.values)[:, 0]


class Decoder(nn.Module):
    """GRU over [embedding; context]; the query is the hidden state of the previous step."""

    def __init__(self, sizes: Sizes, dropout: float) -> None:
        super().__init__()
        inputs = sizes.embedding_size + sizes.encoder_size
        self.embedding = nn.Embedding(sizes.target_vocab_size, sizes.embedding_size)
        self.attention = Attention(sizes)
        self.rnn = nn.GRU(inputs, sizes.decoder_hidden_size, batch_first=True)
        self.readout = nn.Linear(sizes.decoder_hidden_size + inputs, sizes.readout_size)
        self.output = nn.Linear(sizes.readout_size, sizes.target_vocab_size)
        self.dropout = nn.Dropout(dropout)

    def step(self, embedded: Tensor, hidden: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """New hidden (words, hidden) and context (words, encoder_size)."""
        context = self.attention(hidden, memory)
        inputs = torch.cat([embedded, context], dim=-1)
        _, final = self.rnn(inputs[:, None], hidden[None])
        return final[0], context

    def logits(self, hidden: Tensor, context: Tensor, embedded: Tensor) -> Tensor:
        """Logits (..., target_vocab_size) from the tanh readout."""
        readout = torch.tanh(self.readout(torch.cat([hidden, context, embedded], dim=-1)))
        return self.output(self.dropout(readout))  # type: ignore[no-any-return]

    def forward(self, tokens: Tensor, hidden: Tensor, memory: Memory) -> Tensor:
        """Teacher-forced logits (words, target, target_vocab_size) for tokens (words, target)."""
        embedded = self.dropout(self.embedding(tokens))
        hiddens, contexts = [], []
        for i in range(tokens.shape[1]):
            hidden, context = self.step(embedded[:, i], hidden, memory)
            hiddens.append(hidden)
            contexts.append(context)
        return self.logits(torch.stack(hiddens, dim=1), torch.stack(contexts, dim=1), embedded)


class Bridge(nn.Module):
    """The first decoder state, computed from the final encoder states."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.hidden = nn.Linear(sizes.encoder_size, sizes.decoder_hidden_size)

    def forward(self, final: Tensor) -> Tensor:
        """Hidden (words, decoder_hidden_size) for final (words, encoder_size)."""
        return torch.tanh(self.hidden(final))


class Seq2Seq(nn.Module):
    """The encoder-decoder from spelling to pronunciation."""

    def __init__(self, sizes: Sizes, dropout: float = 0.0) -> None:
        super().__init__()
        self.sizes = sizes
        self.encoder = Encoder(sizes, dropout)
        self.bridge = Bridge(sizes)
        self.decoder = Decoder(sizes, dropout)

    def encode(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Memory]:
        """First hidden state (words, decoder_hidden_size), and the memory."""
        states, final = self.encoder(source, lengths)
        padding = torch.arange(source.shape[1]) >= lengths[:, None]
        return self.bridge(final), Memory(states, self.decoder.attention.key(states), padding)

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        """Logits (words, target - 1, target_vocab_size) of the token after each target token."""
        hidden, memory = self.encode(source, lengths)
        return self.decoder(target[:, :-1], hidden, memory)  # type: ignore[no-any-return]

    @torch.no_grad()
    def greedy(self, source: Tensor, lengths: Tensor, max_new_tokens: int = 50) -> list[list[int]]:
        """The most probable token at each step, up to the end token, which is excluded."""
        hidden, memory = self.encode(source, lengths)
        tokens = torch.full((len(source),), BOS)
        steps: list[Tensor] = []
        ended = torch.zeros(len(source), dtype=torch.bool)
        while not ended.all() and len(steps) < max_new_tokens:
            embedded = self.decoder.embedding(tokens)
            hidden, context = self.decoder.step(embedded, hidden, memory)
            tokens = self.decoder.logits(hidden, context, embedded).argmax(dim=-1)
            tokens = tokens.masked_fill(ended, PAD)
            ended |= tokens == EOS
            steps.append(tokens)
        rows = torch.stack(steps, dim=1).tolist()
        return [[token for token in row if token not in (PAD, EOS)] for row in rows]
