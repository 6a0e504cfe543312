"""Engines by name. Only the process that measures an engine imports its module."""

from __future__ import annotations

import importlib

from benchmarks.peers.engines.base import Engine, Setup, UnsupportedError

__all__ = ["ENGINES", "Engine", "Setup", "UnsupportedError", "engine_class"]

ENGINES = {  # name -> (class for whole models, class for operators)
    "ctranslate2": ("ctranslate.CTranslate2",),
    "transformers": ("huggingface.Transformers",),
    "llama.cpp": ("llama_cpp.LlamaCpp",),
    "onnxruntime": ("onnx_runtime.OnnxRuntime", "onnx_operators.OnnxOperators"),
    "torch": ("pytorch.Torch", "pytorch_operators.TorchOperators"),
    "numpy": ("numpy_rnns.NumPy", "numpy_operators.NumPyOperators"),
    "attnengine": ("ours.AttnEngine", "our_operators.AttnOperators"),
}


def engine_class(name: str, family: str) -> type[Engine] | None:
    """The class that measures this family of models or the operators, or None."""
    place = 1 if family == "operators" else 0
    if place >= len(ENGINES[name]):
        return None
    module, _, kind = ENGINES[name][place].rpartition(".")
    found: type[Engine] = getattr(importlib.import_module(f"{__name__}.{module}"), kind)
    return found
