"""Speech-to-text models."""

from __future__ import annotations

from attnengine.loaders.huggingface.families.family import TIED_HEAD, Family, Tie

# Keys for training, classification and timestamps, and for prompts, which attnengine makes itself.
_WHISPER_UNUSED = (
    *("apply_spec_augment", "mask_feature_length", "mask_feature_min_masks", "mask_feature_prob"),
    *("mask_time_length", "mask_time_min_masks", "mask_time_prob", "classifier_proj_size"),
    *("median_filter_width", "forced_decoder_ids", "num_hidden_layers"),
)
_WHISPER = Family(
    prefix="model.",
    heads=("proj_out.",),
    defaults={
        "vocab_size": 51865,
        "num_mel_bins": 80,
        "encoder_layers": 4,
        "encoder_attention_heads": 6,
        "encoder_ffn_dim": 1536,
        "decoder_layers": 4,
        "decoder_attention_heads": 6,
        "decoder_ffn_dim": 1536,
        "d_model": 384,
        "max_source_positions": 1500,
        "max_target_positions": 448,
        "activation_function": "gelu",
        "bos_token_id": 50256,
        "eos_token_id": 50256,
        "pad_token_id": 50256,
        "decoder_start_token_id": 50257,
        TIED_HEAD: True,
    },
    unused=_WHISPER_UNUSED,
    buffers=r"(?!)",  # none: sinusoids of the encoder are weights
    neutral={"scale_embedding": False, "use_weighted_layer_sum": False},
    ties=(Tie("model.decoder.embed_tokens.weight", "proj_out.weight", (TIED_HEAD,)),),
    kind="speech",
)

SPEECH = {"whisper": _WHISPER}
