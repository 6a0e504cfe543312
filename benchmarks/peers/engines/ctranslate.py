"""CTranslate2 by OpenNMT: C++ with oneDNN, MKL or Ruy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.engines.base import Engine, Ids, Setup
from benchmarks.peers.models import Model, build_once


class _Tokens:
    """The part of a tokenizer that a converter reads: token i is called ``t{i}``."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.names = [f"t{i}" for i in range(config["vocab_size"])]
        self.eos_token, self.bos_token, self.pad_token = (
            self.names[config.get(f"{kind}_token_id") or 0] for kind in ("eos", "bos", "pad")
        )
        if config["model_type"] == "marian":  # the converter looks for this name
            self.names[config["pad_token_id"]] = self.pad_token = "<pad>"
        self.unk_token = self.names[3]

    def get_vocab(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names)}

    def convert_ids_to_tokens(self, token: int) -> str:
        return self.names[token]

    def __len__(self) -> int:
        return len(self.names)


def convert(setup: Setup, path: Path) -> None:
    from ctranslate2.converters.transformers import TransformersConverter

    class Converter(TransformersConverter):  # type: ignore[misc]
        def load_tokenizer(self, *_: Any, **__: Any) -> _Tokens:
            return _Tokens(setup.model.config)

        def load_model(self, *arguments: Any, **options: Any) -> Any:
            model = super().load_model(*arguments, **options)
            if not hasattr(model.config, "position_embedding_type"):  # transformers 5 lacks it
                model.config.position_embedding_type = "absolute"
            return model

    Converter(str(setup.folder)).convert(str(path), quantization="float32")


def converted(setup: Setup) -> Path:
    path = setup.cache / "ctranslate2" / setup.model.name
    return build_once(path, lambda part: convert(setup, part))


class CTranslate2(Engine):
    """Mode inter2 runs two translators with one thread each, and mode 1t one thread.

    Mode 1t exists because oneDNN's int8 products of a few rows are slower with two threads.
    """

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        import ctranslate2

        kinds = {"marian": ctranslate2.Translator, "t5": ctranslate2.Translator}
        kind = kinds | {"bert": ctranslate2.Encoder}
        self.model = kind.get(setup.model.family, ctranslate2.Generator)(
            str(converted(setup)),
            device="cpu",
            compute_type=setup.precision,
            inter_threads=setup.threads if setup.mode == "inter2" else 1,
            intra_threads=1 if setup.mode else setup.threads,
        )
        self.tokens = _Tokens(setup.model.config)

    @staticmethod
    def variants(model: Model) -> list[str]:
        return {
            "marian": ["float32", "float32-inter2", "int8", "int8-inter2"],
            "t5": ["float32", "float32-inter2", "int8", "int8-inter2"],
            "gpt2": ["float32", "int8", "int8-1t"],
            "qwen2": ["float32", "int8", "int8-1t"],
            "bert": ["float32", "int8", "int8-1t"],
        }.get(model.family, [])

    @staticmethod
    def prepare(setup: Setup) -> None:
        converted(setup)

    def translate(
        self, sources: Sequence[Ids], batch_size: int, beam_size: int, new_tokens: int
    ) -> int:
        names = self.tokens.names
        results = self.model.translate_batch(
            [[*(names[i] for i in source), self.tokens.eos_token] for source in sources],
            max_batch_size=batch_size,
            beam_size=beam_size,
            num_hypotheses=1,
            min_decoding_length=new_tokens,
            max_decoding_length=new_tokens,
        )
        return sum(len(result.hypotheses[0]) for result in results)

    def prefill(self, prompt: Ids) -> int:
        self.generate(prompt, 1, 1)
        return len(prompt)

    def generate(self, prompt: Ids, new_tokens: int, beam_size: int) -> int:
        results = self.model.generate_batch(
            [[self.tokens.names[i] for i in prompt]],
            max_length=new_tokens,
            min_length=new_tokens,
            beam_size=beam_size,
            include_prompt_in_result=False,
        )
        return len(results[0].sequences_ids[0])

    def encode(self, batch: Sequence[Ids]) -> int:
        return len(np.array(self.model.forward_batch(batch).last_hidden_state))
