"""CTranslate2's encoders, which are variants of BERT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from attnengine.errors import Unsupported
from attnengine.loaders import schema
from attnengine.loaders.checkpoint import Checkpoint, Tensor
from attnengine.loaders.ctranslate2 import names
from attnengine.loaders.ctranslate2.file import Model
from attnengine.loaders.ctranslate2.settings import Settings, read_config
from attnengine.loaders.ctranslate2.stack import norm_eps
from attnengine.loaders.ctranslate2.vocabulary import read_vocabulary, special_ids, tokenizer
from attnengine.loaders.huggingface.sentence_transformers import read_pooling
from attnengine.loaders.shared.renaming import count_layers, matrix_shape, rename

_EMBEDDINGS = "bert.embeddings"
_TYPES = f"{_EMBEDDINGS}.token_type_embeddings.weight"


def encoder(path: Path, model: Model) -> Checkpoint:
    """Read an encoder without its pooler, which its states do not need."""
    settings = Settings(model)
    read = {name: t for name, t in model.tensors.items() if not name.startswith("pooler_dense/")}
    settings.left.pop("pooler_activation", None)
    settings.left.pop("encoder/embeddings_merge", None)  # embeddings of words and types are added
    tensors = rename(read, names.BERT, model.path)
    given = read_config(model, settings, ())
    config = _config(model, settings, tensors)
    config["layer_norm_eps"] = norm_eps(given)
    settings.refuse_others()
    tokens = read_vocabulary(path, "vocabulary", config["vocab_size"], given["unk_token"])
    kind, files = tokenizer(path)
    config |= {"tokenizer": kind, "add_bos": False, **special_ids(given, tokens)}
    config |= read_pooling(path, config["hidden_size"])
    return schema.checked(path, config, tensors, {} if files else {"vocabulary": tokens}, files)


def _config(model: Model, settings: Settings, tensors: dict[str, Tensor]) -> dict[str, Any]:
    vocab_size, size = matrix_shape(model.path, tensors, f"{_EMBEDDINGS}.word_embeddings.weight")
    if settings.embedding_scale("encoder", size) != 1.0 or settings.get("pre_norm", 1):
        raise Unsupported(f"{model.path}: scaled embeddings or pre-norm, expected neither")
    if _TYPES not in tensors:
        tensors[_TYPES] = Tensor.of(_TYPES, np.zeros((1, size), np.float32))
    positions = matrix_shape(model.path, tensors, f"{_EMBEDDINGS}.position_embeddings.weight")
    wide = matrix_shape(model.path, tensors, "bert.encoder.layer.0.intermediate.dense.weight")
    activation = settings.activation()
    return {
        "architecture": "bert",
        "vocab_size": vocab_size,
        "hidden_size": size,
        "intermediate_size": wide[0],
        "num_hidden_layers": count_layers(
            tensors, r"bert\.encoder\.layer\.([0-9]+)\..*", model.path
        ),
        "num_attention_heads": int(settings.get("num_heads", 8)),
        "max_position_embeddings": positions[0],
        "type_vocab_size": matrix_shape(model.path, tensors, _TYPES)[0],
        "hidden_act": names.HIDDEN_ACTIVATIONS.get(activation, activation),
    }
