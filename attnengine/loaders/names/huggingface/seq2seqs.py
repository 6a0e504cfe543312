"""Encoder-decoders."""

from __future__ import annotations

from attnengine.loaders.names.huggingface.family import TIED_HEAD, Family, Tie

_SHARED = "share_encoder_decoder_embeddings"

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
        Tie("model.shared.weight", "model.encoder.embed_tokens.weight", (_SHARED,)),
        Tie("model.shared.weight", "model.decoder.embed_tokens.weight", (_SHARED,)),
        Tie("model.shared.weight", "lm_head.weight", (_SHARED, TIED_HEAD)),
        Tie("model.decoder.embed_tokens.weight", "lm_head.weight", (TIED_HEAD,)),
    ),
    heads=("lm_head.", "final_logits_bias"),
    kind="seq2seq",
)

SEQ2SEQS = {"marian": _MARIAN}
