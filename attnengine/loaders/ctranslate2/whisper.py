"""CTranslate2's Whisper models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema
from attnengine.loaders.checkpoint import Checkpoint, Tensor
from attnengine.loaders.ctranslate2 import names
from attnengine.loaders.ctranslate2.file import Model
from attnengine.loaders.ctranslate2.settings import Settings, read_config
from attnengine.loaders.ctranslate2.stack import tied
from attnengine.loaders.ctranslate2.vocabulary import read_vocabulary, tokenizer
from attnengine.loaders.shared.renaming import count_layers, matrix_shape, rename
from attnengine.loaders.shared.speech_tokens import START, speech_tokens

_END = "<|endoftext|>"


def whisper(path: Path, model: Model) -> Checkpoint:
    """Read a speech model without its alignment heads, which only timestamps need."""
    settings = Settings(model)
    renamed = rename(model.tensors, names.WHISPER, model.path)
    output = {"lm_head.weight": "proj_out.weight"}
    tensors = {output.get(name, f"model.{name}"): renamed[name] for name in renamed}
    given = read_config(model, settings, names.WHISPER_CONFIG)
    config = _sizes(model, settings, tensors)
    settings.refuse_others()
    vocab_size = config["vocab_size"]
    tokens = read_vocabulary(path, "vocabulary", vocab_size, None)
    ids = {token: i for i, token in enumerate(tokens)}
    for token in (START, _END):
        if token not in ids:
            raise FormatError(f"{path}: the vocabulary has no {token}")
    kind, files = tokenizer(path)
    config |= {
        **dict.fromkeys(("bos_token_id", "pad_token_id", "unk_token_id")),
        "eos_token_id": ids[_END],
        "decoder_start_token_id": ids[START],
        "tokenizer": kind,
        "suppress_tokens": sorted(set(given.get("suppress_ids") or [])),
        "begin_suppress_tokens": sorted(set(given.get("suppress_ids_begin") or [])),
        **speech_tokens(ids, vocab_size),
    }
    return schema.checked(path, config, tensors, {} if files else {"vocabulary": tokens}, files)


def _sizes(model: Model, settings: Settings, tensors: dict[str, Tensor]) -> dict[str, Any]:
    def shape(name: str) -> tuple[int, int]:
        return matrix_shape(model.path, tensors, f"model.{name}")

    conv = tensors.get("model.encoder.conv1.weight")
    if conv is None or len(conv.shape) != 3:
        raise FormatError(f"{model.path}: encoder/conv1/weight is missing or not (out, in, width)")
    vocab_size, size = shape("decoder.embed_tokens.weight")
    if settings.embedding_scale("decoder", size) != 1.0 or not settings.get("pre_norm", 1):
        raise Unsupported(f"{model.path}: scaled embeddings or post-norm, expected neither")
    if settings.activation() != "gelu":
        raise Unsupported(f"{model.path}: an activation that is not gelu")
    config: dict[str, Any] = {
        "architecture": "whisper",
        "vocab_size": vocab_size,
        "num_mel_bins": conv.shape[1],
        "d_model": size,
        "max_source_positions": shape("encoder.embed_positions.weight")[0],
        "max_target_positions": shape("decoder.embed_positions.weight")[0],
        "tie_word_embeddings": tied(
            tensors, "model.decoder.embed_tokens.weight", "proj_out.weight"
        ),
    }
    for side in ("encoder", "decoder"):
        layers = rf"model\.{side}\.layers\.([0-9]+)\..*"
        config[f"{side}_layers"] = count_layers(tensors, layers, model.path)
        config[f"{side}_attention_heads"] = int(settings.left.pop(f"{side}/num_heads", 8))
        config[f"{side}_ffn_dim"] = shape(f"{side}.layers.0.fc1.weight")[0]
    return config
