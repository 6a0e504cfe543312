"""What transformers' files call things, and what it takes an absent key to mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Tie:
    """One weight that files may hold under two names; without a copy when `switches` are true."""

    kept: str
    copy: str
    switches: tuple[str, ...]


@dataclass(frozen=True)
class Family:
    """What a model_type needs beyond what all share.

    prefix: of the weights of the model without its head, which files may lack.
    defaults: of keys that config.json may lack, as transformers has them.
    buffers: a pattern of names that are no weights.
    neutral: keys dropped where they have the value that attnengine takes for granted; with
    another value they are left, to be refused.
    """

    prefix: str
    defaults: Mapping[str, Any]
    buffers: str
    neutral: Mapping[str, Any] = field(default_factory=dict)
    ties: tuple[Tie, ...] = ()
    seq2seq: bool = False


# Weights that stand beside the model that `prefix` names.
HEADS = ("lm_head.", "final_logits_bias")

_TIED_HEAD = "tie_word_embeddings"
_SHARED = "share_encoder_decoder_embeddings"
_ROTARY_BUFFERS = r"\.rotary_emb\.(inv_freq|cos_cached|sin_cached)$"
_EMBEDDING = "model.embed_tokens.weight"

_LLAMA = Family(
    prefix="model.",
    defaults={
        "bos_token_id": 1,
        "eos_token_id": 2,
        "num_key_value_heads": None,  # as many as num_attention_heads
        "head_dim": None,  # hidden_size / num_attention_heads
        "hidden_act": "silu",
        "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "rope_scaling": None,
        "attention_bias": False,
        "mlp_bias": False,
        _TIED_HEAD: False,
    },
    buffers=_ROTARY_BUFFERS,
    neutral={"partial_rotary_factor": 1.0},
    ties=(Tie(_EMBEDDING, "lm_head.weight", (_TIED_HEAD,)),),
)
_QWEN2 = Family(
    prefix="model.",
    defaults={
        "num_key_value_heads": None,
        "hidden_act": "silu",
        "max_position_embeddings": 32768,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "rope_scaling": None,
        "use_sliding_window": False,
        "sliding_window": None,
        "max_window_layers": 28,
        "layer_types": None,  # what use_sliding_window and max_window_layers say
        _TIED_HEAD: False,
    },
    buffers=_ROTARY_BUFFERS,
    neutral={"partial_rotary_factor": 1.0},
    ties=(Tie(_EMBEDDING, "lm_head.weight", (_TIED_HEAD,)),),
)
_GPT2 = Family(
    prefix="transformer.",
    defaults={
        "bos_token_id": 50256,
        "eos_token_id": 50256,
        "n_positions": 1024,
        "n_ctx": None,
        "n_inner": None,  # 4 * n_embd
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
        "scale_attn_weights": True,
        "scale_attn_by_inverse_layer_idx": False,
        _TIED_HEAD: True,
    },
    buffers=r"\.attn\.(bias|masked_bias)$",  # the causal mask
    neutral={"add_cross_attention": False},
    ties=(Tie("transformer.wte.weight", "lm_head.weight", (_TIED_HEAD,)),),
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
        _TIED_HEAD: True,
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
        Tie("model.shared.weight", "lm_head.weight", (_SHARED, _TIED_HEAD)),
        Tie("model.decoder.embed_tokens.weight", "lm_head.weight", (_TIED_HEAD,)),
    ),
    seq2seq=True,
)
FAMILIES = {"gpt2": _GPT2, "llama": _LLAMA, "marian": _MARIAN, "qwen2": _QWEN2}

# Keys that say nothing about what the model computes.
_BOOKKEEPING = (
    *("_attn_implementation", "_attn_implementation_autoset", "_commit_hash", "_name_or_path"),
    *("architectures", "attn_implementation", "auto_map", "dtype", "finetuning_task"),
    *(
        "gradient_checkpointing",
        "is_decoder",
        "is_encoder_decoder",
        "model_type",
        "output_attentions",
    ),
    *("output_hidden_states", "prefix", "pretraining_tp", "problem_type", "return_dict"),
    *("task_specific_params", "tokenizer_class", "torch_dtype", "torchscript"),
    *("transformers_version", "use_bfloat16", "use_cache"),
    "reorder_and_upcast_attn",  # the same numbers in float32
)
_TRAINING = (
    *("activation_dropout", "attention_dropout", "attn_pdrop", "decoder_layerdrop", "dropout"),
    *("embd_pdrop", "encoder_layerdrop", "init_std", "initializer_range", "resid_pdrop"),
)
_CLASSIFICATION = (
    *("_num_labels", "classif_dropout", "classifier_dropout", "id2label", "label2id", "num_labels"),
    *("summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type"),
    "summary_use_proj",
)
# Of transformers' own search; ours has its own options. The first two become suppress_tokens.
_SEARCH = (
    *("bad_words_ids", "suppress_tokens", "begin_suppress_tokens", "diversity_penalty"),
    *("do_sample", "early_stopping", "encoder_no_repeat_ngram_size"),
    *("exponential_decay_length_penalty", "forced_bos_token_id", "forced_eos_token_id"),
    *("length_penalty", "max_length", "max_new_tokens", "min_length", "no_repeat_ngram_size"),
    *("num_beam_groups", "num_beams", "num_return_sequences", "output_scores"),
    *("remove_invalid_values", "repetition_penalty", "return_dict_in_generate", "temperature"),
    *("top_k", "top_p", "typical_p"),
)
IGNORED = frozenset((*_BOOKKEEPING, *_TRAINING, *_CLASSIFICATION, *_SEARCH, "sep_token_id"))
