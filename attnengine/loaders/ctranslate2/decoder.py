"""CTranslate2's language models: Transformers with layer norms, and those of Llama's kind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders.checkpoint import Checkpoint, Tensor
from attnengine.loaders.ctranslate2.file import Model
from attnengine.loaders.ctranslate2.settings import Settings, read_config
from attnengine.loaders.ctranslate2.stack import checkpoint, norm_eps, stack, tied
from attnengine.loaders.ctranslate2.vocabulary import read_vocabulary, special_ids, tokenizer
from attnengine.loaders.names import count_layers, matrix_shape, part, rename
from attnengine.loaders.names import ctranslate2 as names

_GATE = "decoder/layer_0/ffn/linear_0_noact/weight"
_ANY_LENGTH = 1 << 20  # rotary positions have no end
_RMS_EPS = 1e-6


def language_model(path: Path, model: Model) -> Checkpoint:
    """Read a decoder without source."""
    settings = Settings(model)
    given = read_config(model, settings, ())
    read_decoder = _llama if _GATE in model.tensors else _transformer
    config, tensors = read_decoder(model, settings, given)
    settings.refuse_others()
    tokens = read_vocabulary(path, "vocabulary", config["vocab_size"], given["unk_token"])
    kind, files = tokenizer(path)
    config |= {"tokenizer": kind, "add_bos": False, **special_ids(given, tokens)}
    return checkpoint(path, config, tensors, {} if files else {"vocabulary": tokens}, files)


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


def _llama(
    model: Model, settings: Settings, given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    tensors = rename(model.tensors, names.LLAMA, model.path)
    embedding, layer = "model.embed_tokens.weight", "model.layers.0"
    vocab_size, size = matrix_shape(model.path, tensors, embedding)
    heads = int(settings.get("num_heads", 8))
    kv_heads = int(settings.of_layers("self_attention/num_heads_kv", heads))
    output = matrix_shape(model.path, tensors, f"{layer}.self_attn.o_proj.weight")[1]
    if not 0 < kv_heads <= heads or output % heads:
        raise FormatError(f"{model.path}: {heads} heads, {kv_heads} of keys, of size {output}")
    head_dim = output // heads
    _cut_projections(tensors, [heads * head_dim, kv_heads * head_dim, kv_heads * head_dim], model)
    if settings.embedding_scale("decoder", size) != 1.0 or not settings.get("pre_norm", 1):
        raise Unsupported(f"{model.path}: scaled embeddings or post-norm, expected neither")
    biases = [f"{layer}.self_attn.{name}_proj.bias" in tensors for name in "qo"]
    activation = settings.activation()
    config = {
        "architecture": "qwen2" if biases == [True, False] else "llama",
        "vocab_size": vocab_size,
        "hidden_size": size,
        "intermediate_size": matrix_shape(model.path, tensors, f"{layer}.mlp.up_proj.weight")[0],
        "num_hidden_layers": count_layers(tensors, r"model\.layers\.([0-9]+)\..*", model.path),
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "max_position_embeddings": _ANY_LENGTH,
        "rms_norm_eps": norm_eps(given, _RMS_EPS),
        "hidden_act": names.HIDDEN_ACTIVATIONS.get(activation, activation),
        **_rotary(settings, head_dim),
        "tie_word_embeddings": tied(tensors, embedding),
    }
    if config["architecture"] == "llama":
        config |= {"head_dim": head_dim, "attention_bias": all(biases)}
        config["mlp_bias"] = f"{layer}.mlp.up_proj.bias" in tensors
    return config, tensors


def _cut_projections(tensors: dict[str, Tensor], sizes: list[int], model: Model) -> None:
    """Queries, keys and values stand below each other."""
    for fused in [name for name in tensors if "qkv_proj" in name]:
        tensor = tensors.pop(fused)
        if not tensor.shape or tensor.shape[0] != sum(sizes):
            raise FormatError(f"{model.path}: {tensor.name} is {tensor.shape}, expected {sizes}")
        start = 0
        for name, size in zip("qkv", sizes, strict=True):
            tensors[fused.replace("qkv", name)] = part(tensor, start, start + size)
            start += size


def _rotary(settings: Settings, head_dim: int) -> dict[str, Any]:
    attention = "self_attention/"
    for name, supported in names.ROTARY_ONLY.items():
        value = settings.of_layers(attention + name, supported[0])
        if value not in (*supported, head_dim if name in ("rotary_dim", "head_dim") else None):
            raise Unsupported(f"{settings.path}: {name} is {value}, expected {supported[0]}")
    factor = settings.of_layers(attention + "rotary_scaling_factor", 1.0)
    base = settings.of_layers(attention + "rotary_base", 10_000.0)
    scaling = None if factor == 1 else {"rope_type": "linear", "factor": factor}
    return {"rope_theta": float(base), "rope_scaling": scaling}
