"""Encoders, without the heads and poolers in their files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from attnengine.loaders.huggingface.families.family import ROTARY_BUFFERS, Family

# names of norms in checkpoints from TensorFlow
_OLD_NORMS = (
    (r"\bLayerNorm\.gamma$", "LayerNorm.weight"),
    (r"\bLayerNorm\.beta$", "LayerNorm.bias"),
)
_MAX_LAYERS = 4096  # checked before memory is allocated
_UNUSED = r"(embeddings\.(position|token_type)_ids$|(pooler|cls|classifier|qa_outputs|lm_head)\.)"

_BERT = Family(
    prefix="bert.",
    heads=(),
    kind="encoder",
    defaults={
        "pad_token_id": 0,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
    },
    buffers=rf"^bert\.{_UNUSED}",
    unused=("tie_word_embeddings",),
    neutral={"position_embedding_type": "absolute", "add_cross_attention": False},
    renames=_OLD_NORMS,
)
_ROBERTA = replace(
    _BERT,
    prefix="roberta.",
    defaults={**_BERT.defaults, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2},
    buffers=rf"^roberta\.{_UNUSED}",
)
_ELECTRA = replace(
    _BERT,
    prefix="electra.",
    defaults={**_BERT.defaults, "embedding_size": 128},
    buffers=rf"^electra\.({_UNUSED}|(discriminator_predictions|generator_predictions|generator_lm_head)\.)",
)
_DISTILBERT = Family(
    prefix="distilbert.",
    heads=(),
    kind="encoder",
    defaults={"pad_token_id": 0, "activation": "gelu", "max_position_embeddings": 512},
    buffers=r"^distilbert\.(vocab_|pre_classifier\.|classifier\.|qa_outputs\.)",
    unused=(
        *("qa_dropout", "seq_classif_dropout", "sinusoidal_pos_embds", "tie_weights_"),
        "tie_word_embeddings",
    ),
)


def _modernbert(config: dict[str, Any]) -> None:
    """Turn the interval of global layers into layer_types, and rope_parameters into two bases."""
    every = config.pop("global_attn_every_n_layers", 3)
    kinds = ("full_attention", "sliding_attention")
    count = config.get("num_hidden_layers")
    if config.get("layer_types") is None and isinstance(every, int) and isinstance(count, int):
        config["layer_types"] = [kinds[i % every > 0] for i in range(min(count, _MAX_LAYERS))]
    bases = ("global_rope_theta", "local_rope_theta")
    given = config.get("rope_parameters")
    if isinstance(given, dict) and set(given) == set(kinds):
        for kind, key in zip(kinds, bases, strict=True):
            if given[kind].get("rope_type", "default") == "default":
                config[key] = given[kind]["rope_theta"]
                del given[kind]
        if not given:
            del config["rope_parameters"]
    for key in bases:
        if type(config.get(key)) is int:
            config[key] = float(config[key])


_MODERNBERT = Family(
    prefix="model.",
    heads=(),
    kind="encoder",
    defaults={
        "pad_token_id": 50283,
        "hidden_activation": "gelu",
        "max_position_embeddings": 8192,
        "norm_eps": 1e-5,
        "norm_bias": False,
        "attention_bias": False,
        "mlp_bias": False,
        "local_attention": 128,
        "global_rope_theta": 160_000.0,
        "local_rope_theta": 10_000.0,
    },
    buffers=rf"^model\.((head|decoder|classifier)\.|.*{ROTARY_BUFFERS})",
    unused=(
        *("classifier_activation", "classifier_bias", "classifier_pooling", "cls_token_id"),
        *("decoder_bias", "deterministic_flash_attn", "embedding_dropout", "mlp_dropout"),
        *("initializer_cutoff_factor", "layer_norm_eps", "reference_compile"),
        *("repad_logits_with_grad", "sparse_pred_ignore_index", "sparse_prediction"),
        "tie_word_embeddings",
    ),
    rewrite=_modernbert,
    neutral={"position_embedding_type": "absolute"},
)
ENCODERS = {
    "bert": _BERT,
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "distilbert": _DISTILBERT,
    "electra": _ELECTRA,
    "modernbert": _MODERNBERT,
}
