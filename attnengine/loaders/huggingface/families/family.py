"""The declaration of a family, and keys that all families share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["decoder", "seq2seq", "encoder", "speech"]


@dataclass(frozen=True)
class Tie:
    """A weight that files may hold under two names; it has no copy if all `switches` are true.

    Without switches it never has a copy.
    """

    kept: str
    copy: str
    switches: tuple[str, ...] = ()


@dataclass(frozen=True)
class Family:
    """The peculiarities of a model_type.

    prefix: prefix of the weights of the model without its head; files may lack it.
    heads: prefixes of the weights beside that model.
    defaults: transformers' defaults of keys that config.json may lack.
    buffers: pattern of names of tensors that attnengine does not load.
    renames: patterns in names of early files, and their replacements.
    unused: keys that are dropped with any value, because neither attnengine nor transformers
    reads them.
    rewrite: turns keys of other versions into those of `defaults`, in place.
    neutral: keys that are dropped if they have this value, the only one that attnengine supports;
    another value stays and is refused.
    spellings: key of early versions -> key now.
    inner: a key of config.json with an object that holds more keys of the model.
    part: the key of config.json that holds this model's config, if there are other parts.
    architecture: name of the model in `attnengine.models`, if it differs from the model_type.
    """

    prefix: str
    defaults: Mapping[str, Any]
    buffers: str
    unused: Collection[str] = ()
    rewrite: Callable[[dict[str, Any]], None] | None = None
    neutral: Mapping[str, Any] = field(default_factory=dict)
    ties: tuple[Tie, ...] = ()
    heads: tuple[str, ...] = ("lm_head.",)
    spellings: Mapping[str, str] = field(default_factory=dict)
    inner: str | None = None
    part: str | None = None
    architecture: str | None = None
    renames: tuple[tuple[str, str], ...] = ()
    kind: Kind = "decoder"


# A key of config.json in several families.
TIED_HEAD = "tie_word_embeddings"
NO_BUFFERS = r"(?!)"  # matches nothing
ROTARY_BUFFERS = r"\.rotary_emb\.(inv_freq|cos_cached|sin_cached)$"

# Keys that do not change the outputs of the model.
_BOOKKEEPING = (
    *("_attn_implementation", "_attn_implementation_autoset", "_commit_hash", "_name_or_path"),
    *("architectures", "attn_implementation", "auto_map", "cache_implementation"),
    *("chunk_size_feed_forward", "dtype", "finetuning_task"),
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
    *("attention_probs_dropout_prob", "dropout_rate", "embd_pdrop", "embedding_dropout"),
    *("encoder_layerdrop", "hidden_dropout", "hidden_dropout_prob", "init_std"),
    *("initializer_factor", "initializer_range", "layerdrop", "resid_pdrop", "residual_dropout"),
)
_CLASSIFICATION = (
    *("_num_labels", "classif_dropout", "classifier_dropout", "id2label", "label2id", "num_labels"),
    *("summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type"),
    *("summary_last_dropout", "summary_use_proj"),
)
# Options of transformers' search, which ours ignores. The first two become suppress_tokens.
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
