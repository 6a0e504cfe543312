"""Encoder-decoders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attnengine.loaders.names.huggingface.family import TIED_HEAD, Family, Tie

_SHARED = "share_encoder_decoder_embeddings"
_EMBEDDING = "model.shared.weight"
_SIDES = ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight")
_HEAD = "lm_head.weight"

_MARIAN = Family(
    prefix="model.",
    defaults={
        "eos_token_id": 0,
        "pad_token_id": 58100,
        "decoder_start_token_id": 58100,
        "max_position_embeddings": 1024,
        "activation_function": "gelu",
        "scale_embedding": False,
        _SHARED: True,
        TIED_HEAD: True,
    },
    buffers=r"\.embed_positions\.weight$",  # sinusoids
    neutral={
        "add_bias_logits": False,
        "add_final_layer_norm": False,
        "normalize_before": False,
        "normalize_embedding": False,
        "static_position_embeddings": True,
    },
    ties=(
        *(Tie(_EMBEDDING, side, (_SHARED,)) for side in _SIDES),
        Tie(_EMBEDDING, _HEAD, (_SHARED, TIED_HEAD)),
        Tie("model.decoder.embed_tokens.weight", _HEAD, (TIED_HEAD,)),
    ),
    heads=("lm_head.", "final_logits_bias"),
    kind="seq2seq",
)


def _like_bart(
    *,
    defaults: Mapping[str, Any],
    pre_norm: bool,
    embedding_norm: bool,
    sinusoidal: bool = False,
) -> Family:
    """A family of BART's kind; what early configs said of its layers, they all have."""
    return Family(
        prefix="model.",
        defaults={
            "max_position_embeddings": 1024,
            "activation_function": "gelu",
            "scale_embedding": False,
            TIED_HEAD: True,
            **defaults,
        },
        # of fairseq; and sinusoids, in M2M-100 with the name `weights`
        buffers=r"\.version$" + (r"|\.embed_positions\." if sinusoidal else ""),
        neutral={
            "add_bias_logits": False,
            "add_final_layer_norm": pre_norm,
            "normalize_before": pre_norm,
            "normalize_embedding": embedding_norm,
            "static_position_embeddings": sinusoidal,
        },
        ties=tuple(Tie(_EMBEDDING, copy, (TIED_HEAD,)) for copy in (*_SIDES, _HEAD)),
        heads=("lm_head.", "final_logits_bias"),
        kind="seq2seq",
    )


_FAIRSEQ = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2}
_PARLAI = {"bos_token_id": 1, "pad_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 1}

SEQ2SEQS = {
    "marian": _MARIAN,
    "bart": _like_bart(
        defaults=_FAIRSEQ,
        pre_norm=False,
        embedding_norm=True,
    ),
    "mbart": _like_bart(
        defaults={**_FAIRSEQ, "decoder_start_token_id": None},  # the target's language
        pre_norm=True,
        embedding_norm=True,
    ),
    "pegasus": _like_bart(
        defaults={"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0},
        pre_norm=True,
        embedding_norm=False,
        sinusoidal=True,
    ),
    "m2m_100": _like_bart(
        defaults={**_FAIRSEQ, "activation_function": "relu", "scale_embedding": True},
        pre_norm=True,
        embedding_norm=False,
        sinusoidal=True,
    ),
    "blenderbot": _like_bart(
        defaults={**_PARLAI, "max_position_embeddings": 128},
        pre_norm=True,
        embedding_norm=False,
    ),
    "blenderbot-small": _like_bart(
        defaults={**_PARLAI, "max_position_embeddings": 512},
        pre_norm=False,
        embedding_norm=True,
    ),
}
