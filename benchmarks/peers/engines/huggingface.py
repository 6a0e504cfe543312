"""Transformers on PyTorch: generate() with its cache and SDPA attention."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from benchmarks.peers.engines.base import Engine, Ids, Setup
from benchmarks.peers.models import Model

CLASSES = {
    "marian": "AutoModelForSeq2SeqLM",
    "t5": "AutoModelForSeq2SeqLM",
    "gpt2": "AutoModelForCausalLM",
    "qwen2": "AutoModelForCausalLM",
    "bert": "AutoModel",
}


def load(setup: Setup, **options: Any) -> Any:
    """Load the module and set torch to ``setup.threads`` threads."""
    import torch
    import transformers

    torch.set_num_threads(setup.threads)
    torch.set_grad_enabled(False)
    kind = getattr(transformers, CLASSES[setup.model.family])
    if setup.model.family == "bert":
        options["add_pooling_layer"] = False
    return kind.from_pretrained(setup.folder, **options).eval()


class Transformers(Engine):
    """Transformers; int8 is torch's dynamic quantisation of linear layers."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        import torch

        self.torch: Any = torch
        half = setup.precision == "bfloat16"
        self.model = load(setup, dtype=torch.bfloat16 if half else torch.float32)
        if setup.precision == "int8":
            warnings.simplefilter("ignore")
            kinds = {torch.nn.Linear}
            self.model = self.torch.ao.quantization.quantize_dynamic(self.model, kinds)

    @staticmethod
    def variants(model: Model) -> list[str]:
        return {
            "marian": ["float32", "int8"],
            "t5": ["float32"],  # T5 reads weight.dtype, which quantised layers lack
            "gpt2": ["float32"],  # GPT-2 has no nn.Linear
            "qwen2": ["float32", "bfloat16", "int8"],
            "bert": ["float32", "int8"],
        }.get(model.family, [])

    def translate(
        self, sources: Sequence[Ids], batch_size: int, beam_size: int, new_tokens: int
    ) -> int:
        config, total = self.setup.model.config, 0
        order = sorted(sources, key=len, reverse=True)
        options: dict[str, Any] = {}
        if config["model_type"] == "marian":
            options["bad_words_ids"] = [[config["pad_token_id"]]]
        for first in range(0, len(order), batch_size):
            rows = [[*source, config["eos_token_id"]] for source in order[first:][:batch_size]]
            width = max(map(len, rows))
            padded = [row + [config["pad_token_id"]] * (width - len(row)) for row in rows]
            mask = [[1] * len(row) + [0] * (width - len(row)) for row in rows]
            total += self._new(padded, mask, beam_size, new_tokens, 1, options)
        return total

    def prefill(self, prompt: Ids) -> int:
        with self.torch.inference_mode():
            ids = self.torch.tensor([prompt])
            logits = self.model(input_ids=ids, use_cache=True, logits_to_keep=1).logits
            int(logits[0, -1].argmax())
        return len(prompt)

    def generate(self, prompt: Ids, new_tokens: int, beam_size: int) -> int:
        options = {"pad_token_id": self.setup.model.config["eos_token_id"]}
        mask = [[1] * len(prompt)]
        return self._new([prompt], mask, beam_size, new_tokens, len(prompt), options)

    def _new(
        self,
        rows: list[Any],
        mask: list[list[int]],
        beam_size: int,
        new_tokens: int,
        given: int,
        options: dict[str, Any],
    ) -> int:
        """The number of generated tokens, without the ``given`` ones before them."""
        with self.torch.inference_mode():
            found = self.model.generate(
                input_ids=self.torch.tensor(rows),
                attention_mask=self.torch.tensor(mask),
                num_beams=beam_size,
                do_sample=False,
                min_new_tokens=new_tokens,
                max_new_tokens=new_tokens,
                **options,
            )
        return sum(len(row) - given for row in found.tolist())

    def encode(self, batch: Sequence[Ids]) -> int:
        with self.torch.inference_mode():
            states = self.model(input_ids=self.torch.tensor(batch)).last_hidden_state
        return len(states.numpy())
