"""CTranslate2's encoder-decoders: translation models of OpenNMT, Marian and BART's family."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from attnengine.errors import FormatError, Unsupported
from attnengine.loaders import schema
from attnengine.loaders.checkpoint import Checkpoint, Tensor
from attnengine.loaders.ctranslate2 import names
from attnengine.loaders.ctranslate2.file import Model
from attnengine.loaders.ctranslate2.settings import Settings, read_config
from attnengine.loaders.ctranslate2.stack import stack, tied
from attnengine.loaders.ctranslate2.vocabulary import read_vocabulary, special_ids, tokenizer
from attnengine.loaders.shared.derived import with_row
from attnengine.loaders.shared.renaming import count_layers, matrix_shape, rename

_SIDES = {"source": "encoder", "target": "decoder"}


def encoder_decoder(path: Path, model: Model) -> Checkpoint:
    """Read a Transformer with source and target."""
    settings = Settings(model)
    tensors = rename(_new_names(model), names.TABLE, model.path)
    layers = count_layers(tensors, r"encoder\.layers\.([0-9]+)\..*", model.path)
    given = read_config(model, settings, ())
    source, target = (
        matrix_shape(model.path, tensors, f"{side}.embed_tokens.weight") for side in _SIDES.values()
    )
    config = {
        "architecture": "transformer",
        "source_vocab_size": source[0],
        "target_vocab_size": target[0],
        "encoder_num_layers": layers,
        **stack(model, settings, tensors, given, tuple(_SIDES.values())),
        **_shared(tensors),
    }
    config["decoder_num_layers"] = config.pop("num_layers")
    from_zero = bool(settings.get("start_from_zero_embedding", 0))
    settings.refuse_others()
    tokens, files = _tokens(path, given, config)
    if from_zero:
        _add_zero_token(path, config, tensors, tokens)
    return schema.checked(path, config, tensors, tokens, files)


def _new_names(model: Model) -> dict[str, Tensor]:
    """Rename the variables of an encoder-decoder to the names of revision 2 and later."""
    if model.revision > 1:
        return dict(model.tensors)
    renamed: dict[str, Tensor] = {}
    for name, tensor in model.tensors.items():
        for pattern, replacement in names.REVISION_1:
            name = re.sub(pattern, replacement, name, count=1)
        if name in renamed:
            raise FormatError(f"{model.path}: {renamed[name].name} and {tensor.name} are {name}")
        renamed[name] = tensor
    return renamed


def _shared(tensors: dict[str, Tensor]) -> dict[str, bool]:
    source, target = (f"{side}.embed_tokens.weight" for side in _SIDES.values())
    output = tied(tensors, target)
    shared = tensors[source] is tensors[target]
    if shared:
        del tensors[target]
    return {"shared_embeddings": shared, "tied_output": output}


def _tokens(
    path: Path, given: Mapping[str, Any], config: dict[str, Any]
) -> tuple[dict[str, list[str]], dict[str, Path]]:
    """Return the vocabularies of both sides and tokenizer files; complete the config from them."""
    kind, files = tokenizer(path)
    shared = any((path / f"shared_vocabulary.{end}").is_file() for end in ("json", "txt"))
    config["tokenizer"] = dict.fromkeys(_SIDES, kind)
    vocabulary: dict[str, list[str]] = {}
    for side, prefix in (("source", "source_"), ("target", "")):
        name = f"{'shared' if shared else side}_vocabulary"
        size = config[f"{side}_vocab_size"]
        vocabulary[side] = tokens = read_vocabulary(path, name, size, given["unk_token"])
        config.update(special_ids(given, tokens, prefix))
    start = given["decoder_start_token"]
    if start is None:
        raise Unsupported(f"{path}: decoder_start_token is null, expected a token")
    for token in (start, given["eos_token"]):
        if token not in vocabulary["target"]:
            raise FormatError(f"{path}: the target vocabulary has no {token!r:.80}")
    config["decoder_start_token_id"] = vocabulary["target"].index(start)
    config["add_source_bos"], config["add_source_eos"] = (
        given["add_source_bos"],
        given["add_source_eos"],
    )
    return ({} if files else vocabulary), files


def _add_zero_token(
    path: Path,
    config: dict[str, Any],
    tensors: dict[str, Tensor],
    tokens: dict[str, list[str]],
) -> None:
    """Add a start token with an embedding of zeros to the target, as Marian does.

    Its logit is so low that no search generates it.
    """
    token, size = names.ZERO_TOKEN, config["target_vocab_size"]
    if "target" not in tokens or token in tokens["target"]:
        raise Unsupported(f"{path}: start_from_zero_embedding, expected a target without {token}")
    embedding = "decoder.embed_tokens.weight"
    if config["shared_embeddings"]:
        tensors[embedding] = tensors["encoder.embed_tokens.weight"]
    no_bias = Tensor.of("no bias", np.zeros(size, np.float32))
    tensors.setdefault("lm_head.bias", no_bias)
    for name, value in ((embedding, 0.0), ("lm_head.weight", 0.0), ("lm_head.bias", -1e30)):
        if name in tensors:  # a tied output layer has no weight
            tensors[name] = with_row(tensors[name], value)
    tokens["target"].append(token)
    config |= {
        "target_vocab_size": size + 1,
        "shared_embeddings": False,
        "decoder_start_token_id": size,
        "suppress_tokens": [size],
    }
