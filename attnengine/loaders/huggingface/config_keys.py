"""Keys of config.json that say nothing about what a model computes, by class.

Every family leaves them out, whatever their value is. A key that a family declares is never left
out, even if a pattern here fits it.
"""

from __future__ import annotations

import fnmatch
import re

# What the keys are for -> their names, where * stands for any text.
CLASSES: dict[str, tuple[str, ...]] = {
    "how transformers loads, stores and runs the model": (
        *("_attn_*", "_commit_hash", "_experts_implementation", "_flash_attn_*", "_from_*"),
        *("_name_or_path", "_pre_quantization_dtype", "architectures", "attn_implementation"),
        *("auto_map", "cache_implementation", "chunk_size_feed_forward", "custom_pipelines"),
        *("dtype", "gradient_checkpointing", "is_composition", "is_decoder", "is_encoder_decoder"),
        *("model_type", "output_*", "prefix", "pretraining_tp", "problem_type", "return_dict"),
        *("task_specific_params", "tokenizer_class", "torch_dtype", "torchscript"),
        *("transformers_version", "use_bfloat16", "use_cache", "use_return_dict", "xla_device"),
        "reorder_and_upcast_attn",  # the same numbers in float32
    ),
    "dropout, the first weights, and losses of training": (
        *("*_drop", "*_dropout", "*_dropout_prob", "*_dropout_rate", "*_layerdrop", "*_pdrop"),
        *("dropout", "dropout_*", "drop_path_rate", "layerdrop"),
        *("init_method*", "init_std", "initializer_*", "embedding_init_std"),
        *("*_loss_coef", "*_loss_weight", "label_smoothing", "loss_type", "router_jitter_noise"),
    ),
    "heads for classes, summaries and poolers, which are not run": (
        *("_num_labels", "classifier_*", "finetuning_task", "id2label", "label2id", "num_labels"),
        *("num_choices", "pooler_*", "summary_*"),
    ),
    # suppress_tokens and its like are read from the folder, not from the architecture's keys
    "options of transformers' search": (
        *("bad_words_ids", "suppress_tokens", "begin_suppress_tokens", "diversity_penalty"),
        *("do_sample", "early_stopping", "encoder_no_repeat_ngram_size"),
        *("exponential_decay_length_penalty", "forced_bos_token_id", "forced_eos_token_id"),
        *("length_penalty", "max_length", "max_new_tokens", "min_length", "no_repeat_ngram_size"),
        *("num_beam_groups", "num_beams", "num_return_sequences", "remove_invalid_values"),
        *("repetition_penalty", "return_dict_in_generate", "temperature"),
        *("top_k", "top_p", "typical_p"),
    ),
    "tokens, which the tokenizer's files describe": (
        *("*_token", "*_token_id", "*_token_ids", "*_token_index", "eos_token_ids"),
        *("max_sequence_length", "model_max_length", "tokenizer_*"),
    ),
    "other software": ("*.js_config", "adapters", "adapter_fusion*", "unsloth_*"),
    "where the model comes from": ("language", "model_name", "license", "tags", "is_llama_config"),
}

_FITS = re.compile(
    "|".join(fnmatch.translate(name) for names in CLASSES.values() for name in names)
)


def says_nothing(key: str) -> bool:
    """Whether a key is known to say nothing about what a model computes."""
    return _FITS.match(key) is not None
