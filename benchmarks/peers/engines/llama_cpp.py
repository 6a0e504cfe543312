"""llama.cpp through the C functions of llama-cpp-python, without a sampler in Python."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.engines.base import Engine, Ids, Setup, UnsupportedError
from benchmarks.peers.models import WEIGHTS, Model, build_once
from benchmarks.studies.loading import NAMES as QWEN2_NAMES

GPT2_NAMES = {
    r"transformer\.wte": "token_embd",
    r"transformer\.wpe": "position_embd",
    r"transformer\.ln_f": "output_norm",
    r"transformer\.h\.(\d+)\.ln_1": r"blk.\1.attn_norm",
    r"transformer\.h\.(\d+)\.attn\.c_attn": r"blk.\1.attn_qkv",
    r"transformer\.h\.(\d+)\.attn\.c_proj": r"blk.\1.attn_output",
    r"transformer\.h\.(\d+)\.ln_2": r"blk.\1.ffn_norm",
    r"transformer\.h\.(\d+)\.mlp\.c_fc": r"blk.\1.ffn_up",
    r"transformer\.h\.(\d+)\.mlp\.c_proj": r"blk.\1.ffn_down",
}
NAMES = {"gpt2": GPT2_NAMES, "qwen2": QWEN2_NAMES}
CONTEXT, BATCH = 1024, 512


def write_gguf(setup: Setup, path: Path) -> None:
    """Write a float32 file without a vocabulary."""
    import gguf
    from safetensors.numpy import load_file

    config, family = setup.model.config, setup.model.family
    writer = gguf.GGUFWriter(path, family)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("no_vocab")
    writer.add_context_length(config.get("n_positions") or config["max_position_embeddings"])
    writer.add_embedding_length(config.get("n_embd") or config["hidden_size"])
    writer.add_block_count(config.get("n_layer") or config["num_hidden_layers"])
    writer.add_head_count(config.get("n_head") or config["num_attention_heads"])
    if family == "gpt2":
        writer.add_feed_forward_length(4 * config["n_embd"])
        writer.add_layer_norm_eps(config["layer_norm_epsilon"])
    else:
        writer.add_feed_forward_length(config["intermediate_size"])
        writer.add_head_count_kv(config["num_key_value_heads"])
        writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
        writer.add_rope_freq_base(config["rope_theta"])
    for name, weight in load_file(setup.folder / WEIGHTS).items():
        part, _, kind = name.rpartition(".")
        new = [
            re.sub(old, to, part) for old, to in NAMES[family].items() if re.fullmatch(old, part)
        ]
        turned = weight.T if ".c_" in part and kind == "weight" else weight  # stored (in, out)
        writer.add_tensor(f"{new[0]}.{kind}", np.ascontiguousarray(turned))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def quantize(source: Path, path: Path, precision: str) -> None:
    import llama_cpp

    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{precision.upper()}")
    status = llama_cpp.llama_model_quantize(str(source).encode(), str(path).encode(), options)
    if status:
        raise RuntimeError(f"llama_model_quantize returned {status}")


def gguf_file(setup: Setup) -> Path:
    stem = setup.cache / "gguf" / setup.model.name
    full = build_once(Path(f"{stem}-f32.gguf"), lambda part: write_gguf(setup, part))
    if setup.precision == "f32":
        return full
    path = Path(f"{stem}-{setup.precision}.gguf")
    return build_once(path, lambda part: quantize(full, part, setup.precision))


class LlamaCpp(Engine):
    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        import llama_cpp

        self.api: Any = llama_cpp
        self.silent = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(self.silent, None)
        llama_cpp.llama_backend_init()
        path = str(gguf_file(setup)).encode()
        model_options = llama_cpp.llama_model_default_params()
        self.model = llama_cpp.llama_model_load_from_file(path, model_options)
        options = llama_cpp.llama_context_default_params()
        options.n_ctx, options.n_batch, options.n_ubatch = CONTEXT, BATCH, BATCH
        options.n_threads = options.n_threads_batch = setup.threads
        self.context = llama_cpp.llama_init_from_model(self.model, options)
        if not self.context:
            raise RuntimeError("llama_init_from_model returned no context")

    @staticmethod
    def variants(model: Model) -> list[str]:
        return {
            "gpt2": ["f32", "q8_0", "q4_0"],
            "qwen2": ["f32", "bf16", "q8_0", "q4_0"],
        }.get(model.family, [])

    @staticmethod
    def prepare(setup: Setup) -> None:
        gguf_file(setup)

    def prefill(self, prompt: Ids) -> int:
        self._forget()
        self._next(prompt)
        return len(prompt)

    def generate(self, prompt: Ids, new_tokens: int, beam_size: int) -> int:
        if beam_size != 1:
            raise UnsupportedError("llama.cpp has no beam search")
        self._forget()
        found = [self._next(prompt)]
        while len(found) < new_tokens:
            found.append(self._next(found[-1:]))
        return len(found)

    def _forget(self) -> None:
        self.api.llama_memory_clear(self.api.llama_get_memory(self.context), True)

    def _next(self, ids: Ids) -> int:
        """The most probable token after these ids, the end token excluded."""
        given = (self.api.llama_token * len(ids))(*ids)
        status = self.api.llama_decode(self.context, self.api.llama_batch_get_one(given, len(ids)))
        if status:
            raise RuntimeError(f"llama_decode returned {status}")
        pointer = self.api.llama_get_logits_ith(self.context, -1)
        logits = np.ctypeslib.as_array(pointer, shape=(self.setup.model.vocab_size,))
        logits[self.setup.model.config["eos_token_id"]] = -np.inf
        return int(logits.argmax())
