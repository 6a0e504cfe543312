"""Writes tiny checkpoints with OpenNMT-py and stores the logits that OpenNMT-py computes.

    python -m tests.golden.make_opennmt

It needs torch and one of OpenNMT-py 1.2, 2.3 (with torchtext 0.4) and 3.5. Each version adds its
own folders.
"""

from __future__ import annotations

from argparse import Namespace
from types import SimpleNamespace
from typing import Any

import onmt
import onmt.opts
import torch
from onmt.model_builder import build_base_model
from onmt.models.model_saver import ModelSaver
from onmt.utils.parse import ArgumentParser

from tests.golden.toolkits import SOURCE_IDS, TARGET_IDS, folder_of, keep, spread

WORDS = {"src": ["a", "b", "c", "d"], "tgt": ["w", "x", "y", "z"]}
MAJOR = int(onmt.__version__.split(".")[0])

RNN = "-rnn_size 6 -word_vec_size 4 -layers 2 -input_feed 1 -encoder_type brnn"
# name of a variant -> options of the training
VARIANTS = {
    "lstm": f"{RNN} -rnn_type LSTM -global_attention general -bridge",
    "gru": f"{RNN} -rnn_type GRU -global_attention mlp -bridge",
    "dot": f"{RNN.replace('brnn', 'rnn').replace('feed 1', 'feed 0')} -global_attention dot",
    "transformer": "-encoder_type transformer -decoder_type transformer -position_encoding "
    "-rnn_size 4 -word_vec_size 4 -layers 2 -heads 2 -transformer_ff 6",
}
VARIANTS["average"] = f"{VARIANTS['transformer']} -self_attn_type average"


def options(text: str) -> Namespace:
    """Options of a training run, parsed by the command line of this version."""
    parser = ArgumentParser()
    onmt.opts.model_opts(parser)
    if MAJOR == 1:
        onmt.opts.train_opts(parser)
        text += " -data none"
    if MAJOR == 3:
        text = text.replace("-rnn_size", "-hidden_size")
    found, _ = parser.parse_known_args(text.split())
    defaults = {"fp32": False, "model_dtype": "fp32", "dropout": [0.0], "attention_dropout": [0.0]}
    defaults |= {"param_init": 0.0, "param_init_glorot": False, "optim": "sgd", "copy_attn": False}
    defaults |= {"pre_word_vecs_enc": None, "pre_word_vecs_dec": None, "use_ckpting": []}
    defaults |= {"freeze_word_vecs_enc": False, "freeze_word_vecs_dec": False, "model_type": "text"}
    defaults |= {"parallel_mode": "data_parallel", "world_size": 1, "update_vocab": False}
    for name, value in defaults.items():
        if not hasattr(found, name) or name == "dropout":
            setattr(found, name, value)
    ArgumentParser.update_model_opts(found)
    ArgumentParser.validate_model_opts(found)
    return found


def vocabularies() -> Any:
    """Vocabularies in the form that this version's model builder takes and its saver stores."""
    if MAJOR == 3:
        import pyonmttok

        special = ["<unk>", "<blank>", "<s>", "</s>"]
        sides = {s: pyonmttok.build_vocab_from_tokens(special + WORDS[s]) for s in WORDS}
        return {**sides, "data_task": "seq2seq", "decoder_start_token": "<s>"}
    from collections import Counter

    from onmt.inputters.inputter import _build_field_vocab, get_fields

    fields = get_fields("text", 0, 0)
    for side, words in WORDS.items():
        for _, field in fields[side]:
            _build_field_vocab(field, Counter(words))
    return fields


def logits(model: Any, fields: Any) -> list[list[float]]:
    """Teacher-forced logits, before the softmax."""
    shape = (1, -1, 1) if MAJOR == 3 else (-1, 1, 1)
    source = torch.tensor(SOURCE_IDS).reshape(shape)
    # the decoder drops the last token of its input
    target = torch.tensor([*TARGET_IDS, TARGET_IDS[-1]]).reshape(shape)
    out, _ = model(source, target, torch.tensor([len(SOURCE_IDS)]))
    linear = model.generator if MAJOR == 3 else model.generator[0]
    return linear(out.reshape(len(TARGET_IDS), -1)).tolist()


def main() -> None:
    for name, text in VARIANTS.items():
        torch.manual_seed(0)
        opt, vocab = options(text), vocabularies()
        model = build_base_model(opt, vocab) if MAJOR == 3 else build_base_model(opt, vocab, False)
        spread(model)
        model.eval()
        folder = folder_of(f"opennmt-{MAJOR}-{name}")
        optimizer = SimpleNamespace(state_dict=lambda: {"training_step": 1})
        saver = ModelSaver(str(folder / "model"), model, opt, vocab, optimizer)
        saver._save(1, model)
        with torch.no_grad():
            keep(folder, f"OpenNMT-py {onmt.__version__}", logits(model, vocab))


if __name__ == "__main__":
    main()
