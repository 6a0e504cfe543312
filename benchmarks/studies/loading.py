"""Time and memory of loading a model of half a billion parameters, beside installed peers.

    pip install gguf && python -m benchmarks.studies.loading FOLDER

The first run writes random weights in the shape of Qwen2 0.5B into FOLDER (9 GB): safetensors
(float32 and bfloat16), GGUF (Q8_0) and packed. Each load is a process of its own, and the formats
take turns with a warm page cache. The table shows medians of the seconds of `load` alone and of
the peak of RssAnon.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import attnengine as ae

ROUNDS = 3
CONFIG: dict[str, Any] = {
    "model_type": "qwen2",
    "architectures": ["Qwen2ForCausalLM"],
    "vocab_size": 151936,
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32768,
    "rms_norm_eps": 1e-6,
    "rope_theta": 1e6,
    "tie_word_embeddings": True,
}


def shapes() -> dict[str, tuple[int, ...]]:
    """name -> shape of every weight of the model."""
    size, wide, keys = 896, 4864, 128
    found: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (CONFIG["vocab_size"], size),
        "model.norm.weight": (size,),
    }
    for i in range(CONFIG["num_hidden_layers"]):
        layer, attention = f"model.layers.{i}.", f"model.layers.{i}.self_attn."
        for part, out in (("q", size), ("k", keys), ("v", keys)):
            found[f"{attention}{part}_proj.weight"] = (out, size)
            found[f"{attention}{part}_proj.bias"] = (out,)
        found[f"{attention}o_proj.weight"] = (size, size)
        for part in ("gate", "up"):
            found[f"{layer}mlp.{part}_proj.weight"] = (wide, size)
        found[f"{layer}mlp.down_proj.weight"] = (size, wide)
        for norm in ("input_layernorm", "post_attention_layernorm"):
            found[f"{layer}{norm}.weight"] = (size,)
    return found


def write_models(folder: Path) -> None:
    """Write the model in every format that FOLDER lacks."""
    import torch
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(0)
    weights = {
        name: 0.02 * torch.randn(shape, generator=generator) for name, shape in shapes().items()
    }
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        if not (folder / name).is_dir():
            (folder / name).mkdir(parents=True)
            (folder / name / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
            typed = {key: value.to(dtype) for key, value in weights.items()}
            save_file(typed, folder / name / "model.safetensors", {"format": "pt"})
    if not (folder / "q8_0.gguf").is_file():
        write_gguf(folder / "q8_0.gguf", {key: value.numpy() for key, value in weights.items()})
    if not (folder / "packed").is_dir():
        ae.convert(folder / "float32", folder / "packed", packed=True)


NAMES = {
    r"model\.embed_tokens": "token_embd",
    r"model\.norm": "output_norm",
    r"model\.layers\.(\d+)\.self_attn\.o_proj": r"blk.\1.attn_output",
    r"model\.layers\.(\d+)\.self_attn\.(.)_proj": r"blk.\1.attn_\2",
    r"model\.layers\.(\d+)\.mlp\.(.*)_proj": r"blk.\1.ffn_\2",
    r"model\.layers\.(\d+)\.input_layernorm": r"blk.\1.attn_norm",
    r"model\.layers\.(\d+)\.post_attention_layernorm": r"blk.\1.ffn_norm",
}


def write_gguf(path: Path, weights: dict[str, Any]) -> None:
    """Write Q8_0 matrices and float32 vectors, with a vocabulary that llama.cpp accepts."""
    import gguf

    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_block_count(CONFIG["num_hidden_layers"])
    writer.add_context_length(CONFIG["max_position_embeddings"])
    writer.add_embedding_length(CONFIG["hidden_size"])
    writer.add_feed_forward_length(CONFIG["intermediate_size"])
    writer.add_head_count(CONFIG["num_attention_heads"])
    writer.add_head_count_kv(CONFIG["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(CONFIG["rms_norm_eps"])
    writer.add_rope_freq_base(CONFIG["rope_theta"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    others = [f"t{i}" for i in range(3, CONFIG["vocab_size"])]
    writer.add_token_list(["a", "b", "ab", *others])
    writer.add_token_merges(["a b"])
    for name, values in weights.items():
        stem, _, kind = name.rpartition(".")
        for pattern, new in NAMES.items():
            stem = re.sub(f"^{pattern}$", new, stem)
        matrix = values.ndim == 2
        quantised = gguf.quantize(values, gguf.GGMLQuantizationType.Q8_0) if matrix else values
        dtype = gguf.GGMLQuantizationType.Q8_0 if matrix else None
        writer.add_tensor(f"{stem}.{kind}", quantised, raw_dtype=dtype)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def load_ours(path: str) -> object:
    """Load with the default number of threads."""
    return ae.load(path)


def load_transformers(path: str) -> object:
    """Load as float32, the type in which attnengine computes."""
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)


def load_llama_cpp(path: str) -> object:
    """Map the file and load it without conversion."""
    from llama_cpp import Llama

    return Llama(path, n_ctx=512, n_threads=2, verbose=False)


ENGINES: dict[str, Callable[[str], object]] = {
    "attnengine": load_ours,
    "transformers": load_transformers,
    "llama.cpp": load_llama_cpp,
}
CASES = [
    ("attnengine", "float32"),
    ("attnengine", "bfloat16"),
    ("attnengine", "q8_0.gguf"),
    ("attnengine", "packed"),
    ("transformers", "float32"),
    ("transformers", "bfloat16"),
    ("llama.cpp", "q8_0.gguf"),
]


def measure(engine: str, path: str) -> dict[str, float]:
    """Load once in this process; return the seconds, and anonymous MB at the peak and after."""
    for module in {"transformers": ("torch", "transformers"), "llama.cpp": ("llama_cpp",)}.get(
        engine, ()
    ):
        __import__(module)
    seen, done = [anonymous()], threading.Event()

    def watch() -> None:
        while not done.wait(0.002):
            seen.append(anonymous())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    started = time.perf_counter()
    model = ENGINES[engine](path)
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    after = anonymous()
    del model
    return {"seconds": seconds, "peak": max(seen) - seen[0], "after": after - seen[0]}


def anonymous() -> float:
    """RssAnon of this process in MB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    return int(found[1]) / 1000 if found else 0.0


def main(folder: Path) -> None:
    """Measure the cases in turns and print a table of medians."""
    write_models(folder)
    runs: dict[tuple[str, str], list[dict[str, float]]] = {case: [] for case in CASES}
    for _ in range(ROUNDS):
        for engine, name in CASES:
            command = [sys.executable, "-m", "benchmarks.studies.loading", "--one", engine]
            for _ in range(2):  # the first load warms the page cache
                done = subprocess.run(
                    [*command, str(folder / name)], capture_output=True, text=True, check=False
                )
            if done.returncode == 0:
                runs[engine, name].append(json.loads(done.stdout.splitlines()[-1]))
    print("| engine | file | seconds | peak RssAnon, MB | after, MB |")
    print("| --- | --- | --- | --- | --- |")
    for (engine, name), found in runs.items():
        columns = [
            float(np.round(statistics.median(run[key] for run in found), digits))
            for key, digits in (("seconds", 3), ("peak", 0), ("after", 0))
            if found
        ]
        print("|", " | ".join(map(str, [engine, name, *columns])), "|")


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        print(json.dumps(measure(*sys.argv[2:])))
    else:
        main(Path(sys.argv[1]))
