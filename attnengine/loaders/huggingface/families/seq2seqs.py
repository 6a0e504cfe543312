"""Encoder-decoders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attnengine.loaders.huggingface.families.family import TIED_HEAD, Family, Tie

_SHARED = "share_encoder_decoder_embeddings"
_EMBEDDING = "model.shared.weight"
_SIDES = ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight")
_HEAD = "lm_head.weight"
# Keys that early versions of transformers wrote and later ones ignore.
_EARLY = (
    *("do_blenderbot_90_layernorm", "extra_layer_norm", "extra_pos_embeddings"),
    *("force_bos_token_to_be_generated", "layernorm_variant", "output_past", "save_step"),
)

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
    unused=_EARLY,
    kind="seq2seq",
)


def _like_bart(
    *,
    defaults: Mapping[str, Any],
    pre_norm: bool,
    embedding_norm: bool,
    sinusoidal: bool = False,
) -> Family:
    """Return a family like BART; it refuses other values of the layer switches of early configs."""
    return Family(
        prefix="model.",
        defaults={
            "max_position_embeddings": 1024,
            "activation_function": "gelu",
            "scale_embedding": False,
            TIED_HEAD: True,
            **defaults,
        },
        # fairseq's version; sinusoids, in M2M-100 called `weights`
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
        unused=_EARLY,
        kind="seq2seq",
    )


_FAIRSEQ = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2}
_PARLAI = {"bos_token_id": 1, "pad_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 1}


def _like_t5(feed_forward: str, keys: Mapping[str, Any]) -> Family:
    """Return a family like T5; files may hold embeddings twice and may lack lm_head."""
    return Family(
        prefix="",
        defaults={
            "pad_token_id": 0,
            "eos_token_id": 1,
            "decoder_start_token_id": 0,
            "num_decoder_layers": None,  # num_layers
            "relative_attention_num_buckets": 32,
            "relative_attention_max_distance": 128,
            "layer_norm_epsilon": 1e-6,
            "feed_forward_proj": feed_forward,
            "dense_act_fn": None,  # given by feed_forward_proj
            "is_gated_act": None,
            TIED_HEAD: True,
            **keys,
        },
        buffers=r"EncDecAttention\.relative_attention_bias\.weight$",  # never read
        unused=("n_positions", "output_past", "scalable_attention"),
        ties=tuple(
            Tie("shared.weight", f"{side}.embed_tokens.weight") for side in ("encoder", "decoder")
        ),
        kind="seq2seq",
    )


_SCALED = {"scale_decoder_outputs": None}  # given by tie_word_embeddings

SEQ2SEQS = {
    "marian": _MARIAN,
    "t5": _like_t5("relu", _SCALED),
    "mt5": _like_t5("gated-gelu", {}),
    "umt5": _like_t5("gated-gelu", _SCALED),
    "bart": _like_bart(
        defaults=_FAIRSEQ,
        pre_norm=False,
        embedding_norm=True,
    ),
    "mbart": _like_bart(
        defaults={**_FAIRSEQ, "decoder_start_token_id": None},  # the target language's token
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
