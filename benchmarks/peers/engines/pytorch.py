"""PyTorch: RNNs with a plain batched beam search."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.peers.engines.base import RNNS, Engine, Ids, Setup
from benchmarks.peers.models import WEIGHTS, Model

NEVER = float("-inf")
SCORED_STEPS = 12  # steps of a batch with their logits in memory at once
Step = Callable[..., Any]


def beam_search(
    step: Step, states: Sequence[Any], sources: Sequence[Any], beam: int, ends: Ids, new: int
) -> list[list[int]]:
    """The best hypotheses of all sentences; ``ends`` holds the first token and the end token."""
    import torch

    batch = len(states[0])
    tokens = torch.full((batch * beam,), ends[0])
    scores = torch.full((batch, beam), NEVER)
    scores[:, 0] = 0
    first_rows = (beam * torch.arange(batch)).unsqueeze(1)
    states = [state.repeat_interleave(beam, 0) for state in states]
    steps = []
    for _ in range(new):
        logits, *states = step(tokens, *states, *sources)
        logits[:, ends[1]] = NEVER
        best, chosen = logits.topk(beam, -1)  # the best of a beam are among these
        log_probs = best - logits.logsumexp(-1, keepdim=True)
        total = log_probs.view(batch, beam, beam) + scores.unsqueeze(-1)
        scores, kept = total.view(batch, -1).topk(beam, -1)
        parents = kept // beam
        rows = (parents + first_rows).view(-1)
        tokens = chosen.view(batch, -1).gather(1, kept).view(-1)
        states = [state.index_select(0, rows) for state in states]
        steps.append((tokens.view(batch, beam), parents))
    place, columns = torch.zeros(batch, 1, dtype=torch.long), []
    for chosen, parents in reversed(steps):
        columns.append(chosen.gather(1, place))
        place = parents.gather(1, place)
    found: list[list[int]] = torch.cat(columns[::-1], 1).tolist()
    return found


class Torch(Engine):
    """PyTorch. Mode nomkldnn runs without oneDNN, because nn.LSTM with oneDNN repacks per call.

    int8 is dynamic quantisation of recurrent and linear layers.
    """

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        import torch
        from safetensors.torch import load_file

        self.torch: Any = torch
        warnings.simplefilter("ignore")
        torch.set_num_threads(setup.threads)
        self.torch.backends.mkldnn.enabled = setup.mode != "nomkldnn"
        self.config = setup.model.config
        modules = importlib.import_module("benchmarks.peers.engines.pytorch_rnns")
        weights = load_file(setup.folder / WEIGHTS)
        if setup.model.family == "rnn_lm":
            self.step = self._made(modules.LanguageModel(self.config, weights))
            return
        kind = modules.Bahdanau if self.config["attention"] == "additive" else modules.Luong
        self.step = self._made(kind(self.config, weights))
        self.encoder = modules.Encoder(self.config, weights).eval()
        self.encoder.rnn = self._made(torch.nn.Sequential(self.encoder.rnn))[0]

    def _made(self, module: Any) -> Any:
        nn = self.torch.nn
        if self.setup.precision == "int8":
            kinds = {nn.LSTM, nn.GRU, nn.Linear}
            module = self.torch.ao.quantization.quantize_dynamic(module, kinds)
        return module.eval()

    @staticmethod
    def variants(model: Model) -> list[str]:
        return ["float32", "float32-nomkldnn", "int8"] if model.family in RNNS else []

    def translate(
        self, sources: Sequence[Ids], batch_size: int, beam_size: int, new_tokens: int
    ) -> int:
        torch, total = self.torch, 0
        ends = (self.config["decoder_start_token_id"], self.config["eos_token_id"])
        order = sorted(sources, key=len, reverse=True)
        with torch.inference_mode():
            for first in range(0, len(order), batch_size):
                rows = order[first : first + batch_size]
                lengths = torch.tensor([len(row) for row in rows])
                padded = [[*row, *[0] * (len(rows[0]) - len(row))] for row in rows]
                mask = (torch.arange(len(rows[0])) < lengths.unsqueeze(1)).float()
                encoded, states = self.encoder(torch.tensor(padded), lengths, mask)
                found = beam_search(self.step, states, encoded, beam_size, ends, new_tokens)
                total += sum(map(len, found))
        return total

    def _zeros(self, rows: int) -> Any:
        return self.torch.zeros(self.config["num_layers"], rows, self.config["hidden_size"])

    def generate(self, prompt: Ids, new_tokens: int, beam_size: int) -> int:
        torch, end = self.torch, self.config["eos_token_id"]
        with torch.inference_mode():
            hidden = cell = self._zeros(1)
            if len(prompt) > 1:
                _, hidden, cell = self.step(torch.tensor([prompt[:-1]]), hidden, cell)
            if beam_size > 1:
                states = [hidden.transpose(0, 1), cell.transpose(0, 1)]
                ends = (prompt[-1], end)
                return len(beam_search(self._rows, states, (), beam_size, ends, new_tokens)[0])
            token, found = torch.tensor([[prompt[-1]]]), []
            for _ in range(new_tokens):
                logits, hidden, cell = self.step(token, hidden, cell)
                logits[..., end] = NEVER
                token = logits[:, -1].argmax(-1, keepdim=True)
                found.append(int(token))
        return len(found)

    def _rows(self, tokens: Any, hidden: Any, cell: Any) -> tuple[Any, ...]:
        """A step with states (rows, layers, hidden)."""
        before = (hidden.transpose(0, 1).contiguous(), cell.transpose(0, 1).contiguous())
        logits, hidden, cell = self.step(tokens.unsqueeze(1), *before)
        return logits[:, 0], hidden.transpose(0, 1), cell.transpose(0, 1)

    def score(self, sequences: Sequence[Ids]) -> int:
        torch = self.torch
        with torch.inference_mode():
            ids = torch.tensor(sequences)
            hidden = cell = self._zeros(len(ids))
            total = torch.zeros(len(ids))
            for first in range(0, ids.shape[1] - 1, SCORED_STEPS):
                read, scored = ids[:, first:-1], ids[:, first + 1 :]
                logits, hidden, cell = self.step(read[:, :SCORED_STEPS], hidden, cell)
                chosen = logits.gather(-1, scored[:, :SCORED_STEPS].unsqueeze(-1)).squeeze(-1)
                total += (chosen - logits.logsumexp(-1)).sum(1)
            total.numpy()
        return int(ids.shape[0] * (ids.shape[1] - 1))
