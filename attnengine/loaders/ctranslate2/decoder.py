"""CTranslate2's language models: Transformers with layer norms, and models like Llama."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema
from attnengine.loaders.checkpoint import Checkpoint, Tensor
from attnengine.loaders.ctranslate2 import names
from attnengine.loaders.ctranslate2.file import Model
from attnengine.loaders.ctranslate2.settings import Settings, read_config
from attnengine.loaders.ctranslate2.stack import norm_eps, stack, tied
from attnengine.loaders.ctranslate2.vocabulary import read_vocabulary, special_ids, tokenizer
from attnengine.loaders.shared.derived import part, rotary_halves
from attnengine.loaders.shared.renaming import count_layers, matrix_shape, rename

_GATE = "decoder/layer_0/ffn/linear_0_noact/weight"
_EMBEDDING, _LAYER = "model.embed_tokens.weight", "model.layers.0"
_ANY_LENGTH = 1 << 20  # rotary positions have no limit
_RMS_EPS = 1e-6


def language_model(path: Path, model: Model) -> Checkpoint:
    """Read a decoder without source."""
    settings = Settings(model)
    given = read_config(model, settings, ())
    read_decoder = _gated if _GATE in model.tensors else _transformer
    config, tensors = read_decoder(model, settings, given)
    settings.refuse_others()
    tokens = read_vocabulary(path, "vocabulary", config["vocab_size"], given["unk_token"])
    kind, files = tokenizer(path)
    config |= {"tokenizer": kind, "add_bos": False, **special_ids(given, tokens)}
    return schema.checked(path, config, tensors, {} if files else {"vocabulary": tokens}, files)


def _transformer(
    model: Model, settings: Settings, given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    tensors = rename(model.tensors, names.TABLE, model.path)
    config = {
        "architecture": "transformer_lm",
        "vocab_size": matrix_shape(model.path, tensors, "decoder.embed_tokens.weight")[0],
        **stack(model, settings, tensors, given, ("decoder",)),
        "tied_output": tied(tensors, "decoder.embed_tokens.weight"),
    }
    return config, tensors


def _gated(
    model: Model, settings: Settings, given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read Llama, or a family that differs from it in one feature."""
    tensors = rename(model.tensors, names.LLAMA, model.path)
    vocab_size, size = matrix_shape(model.path, tensors, _EMBEDDING)
    heads = int(settings.get("num_heads", 8))
    kv_heads = int(settings.of_layers("self_attention/num_heads_kv", heads))
    output = matrix_shape(model.path, tensors, f"{_LAYER}.self_attn.o_proj.weight")[1]
    if not 0 < kv_heads <= heads or output % heads:
        raise FormatError(f"{model.path}: {heads} heads, {kv_heads} of keys, of size {output}")
    head_dim = output // heads
    _cut_projections(tensors, [heads * head_dim, kv_heads * head_dim, kv_heads * head_dim], model)
    activation = settings.activation()
    num_layers = count_layers(tensors, r"model\.layers\.([0-9]+)\..*", model.path)
    config = {
        "vocab_size": vocab_size,
        "hidden_size": size,
        "intermediate_size": matrix_shape(model.path, tensors, f"{_LAYER}.mlp.up_proj.weight")[0],
        "num_hidden_layers": num_layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": head_dim,
        "max_position_embeddings": _ANY_LENGTH,
        "rms_norm_eps": norm_eps(given, _RMS_EPS),
        "hidden_act": names.HIDDEN_ACTIVATIONS.get(activation, activation),
        **_rotary(settings, tensors, heads, kv_heads, head_dim),
        **_family(settings, tensors, size, num_layers),
    }
    return config | {"tie_word_embeddings": tied(tensors, _EMBEDDING)}, tensors


def _family(
    settings: Settings, tensors: Mapping[str, Tensor], size: int, num_layers: int
) -> dict[str, Any]:
    """Return the architecture and its additional keys."""
    query, output, up = (
        f"{_LAYER}.{name}_proj.bias" in tensors for name in ("self_attn.q", "self_attn.o", "mlp.up")
    )
    window = max(settings.get("sliding_window", 0), 0)
    window = max(settings.of_layers("self_attention/sliding_window", window), window)
    norms = settings.count("/layer_norm_use_residual")  # norms multiply by 1 + weight
    found: dict[str, tuple[Any, dict[str, Any]]] = {
        "gemma": (norms, {"attention_bias": output}),
        "qwen3": (f"{_LAYER}.self_attn.q_norm.weight" in tensors, {"attention_bias": output}),
        "mistral": (window, {"sliding_window": window}),
        "qwen2": (query and not output, {}),
    }
    kinds = [name for name, (has, _) in found.items() if has]
    if len(kinds) > 1 or norms not in (0, 2 * num_layers + 1):
        raise Unsupported(f"{settings.path}: a decoder of the kinds {' and '.join(kinds)}")
    scale = math.sqrt(size) if kinds == ["gemma"] else 1.0
    factor = settings.embedding_scale("decoder", size)
    if not math.isclose(factor, scale, rel_tol=1e-5) or not settings.get("pre_norm", 1):
        raise Unsupported(
            f"{settings.path}: embeddings times {factor}, or post-norm; expected {scale}, pre-norm"
        )
    if not kinds:
        return {"architecture": "llama", "attention_bias": query and output, "mlp_bias": up}
    return {"architecture": kinds[0], **found[kinds[0]][1]}


def _cut_projections(tensors: dict[str, Tensor], sizes: list[int], model: Model) -> None:
    """Cut the joined projection, which holds the rows of queries, keys and values in this order."""
    for fused in [name for name in tensors if "qkv_proj" in name]:
        tensor = tensors.pop(fused)
        if not tensor.shape or tensor.shape[0] != sum(sizes):
            raise FormatError(f"{model.path}: {tensor.name} is {tensor.shape}, expected {sizes}")
        start = 0
        for name, size in zip("qkv", sizes, strict=True):
            tensors[fused.replace("qkv", name)] = part(tensor, start, start + size)
            start += size


def _rotary(
    settings: Settings, tensors: dict[str, Tensor], heads: int, kv_heads: int, head_dim: int
) -> dict[str, Any]:
    """Return the rotary settings, and reorder interleaved pairs of weights to halves."""

    def get(name: str, default: Any) -> Any:
        return settings.of_layers(f"self_attention/{name}", default)

    for name, value, supported in (
        ("head_dim", get("head_dim", head_dim), (head_dim,)),
        ("rotary_dim", get("rotary_dim", None), (0, head_dim)),
        ("rotary_scaling_type", get("rotary_scaling_type", -1), (-1, 0)),  # none, linear
    ):
        if value not in supported:
            raise Unsupported(f"{settings.path}: {name} is {value}, expected {supported[0]}")
    if get("rotary_interleave", 1):
        counts = {"q_proj": heads, "k_proj": kv_heads, "q_norm": 1, "k_norm": 1}
        for name, tensor in tensors.items():
            count = counts.get(name.split(".")[-2])
            if count is not None:
                tensors[name] = rotary_halves(tensor, count, settings.path)
    factor = get("rotary_scaling_factor", 1.0)
    scaling = None if factor == 1 else {"rope_type": "linear", "factor": factor}
    return {"rope_theta": float(get("rotary_base", 10_000.0)), "rope_scaling": scaling}
