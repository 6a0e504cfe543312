"""Write a checkpoint as attnengine's native folder: ``python -m training.g2p.export --help``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from training.g2p.data import BOS, EOS, PAD, SOURCE_EOS, UNK
from training.g2p.model import Sizes
from training.g2p.train import load_checkpoint

TOKENS = {
    "tokenizer": {"source": "characters", "target": "words"},
    "bos_token_id": BOS,
    "eos_token_id": EOS,
    "pad_token_id": PAD,
    "unk_token_id": None,
    "decoder_start_token_id": BOS,
    "add_source_bos": False,
    "add_source_eos": True,
    "source_bos_token_id": None,
    "source_eos_token_id": SOURCE_EOS,
    "source_pad_token_id": PAD,
    "source_unk_token_id": UNK,
}

SWITCHES = {
    "architecture": "rnn_seq2seq",
    "cell": "gru",
    "nonlinearity": "tanh",
    "encoder_num_layers": 1,
    "bidirectional": True,
    "decoder_num_layers": 1,
    "bridge_input": "last",
    "bridge_activation": "tanh",
    "bridge_cell": "zero",
    "attention": "additive",
    "attention_query": "previous",
    "input_feeding": False,
    "readout_inputs": ["hidden", "context", "embedding"],
    "readout_activation": "tanh",
    "tied_output": False,
    "max_positions": None,
}


def config_of(sizes: Sizes) -> dict[str, Any]:
    """The config.json of a model of these sizes."""
    return {
        **SWITCHES,
        **TOKENS,
        "source_vocab_size": sizes.source_vocab_size,
        "target_vocab_size": sizes.target_vocab_size,
        "source_embedding_size": sizes.embedding_size,
        "target_embedding_size": sizes.embedding_size,
        "encoder_hidden_size": sizes.encoder_hidden_size,
        "decoder_hidden_size": sizes.decoder_hidden_size,
        "attention_size": sizes.attention_size,
        "readout_size": sizes.readout_size,
    }


def export(checkpoint: Path, folder: Path) -> None:
    """Write config.json, model.safetensors and both vocabularies."""
    from attnengine.loaders.native.writer import save

    model, vocabularies = load_checkpoint(checkpoint)
    tensors = {name: weight.numpy() for name, weight in model.state_dict().items()}
    named = {"source": vocabularies.source, "target": vocabularies.target}
    save(folder, config_of(model.sizes), tensors, named)


def main() -> None:
    """Read the options and export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--checkpoint", type=Path, required=True, help="checkpoint that train.py wrote"
    )
    parser.add_argument("--output", type=Path, default=Path("attnengine/data/g2p"))
    options = parser.parse_args()
    export(options.checkpoint, options.output)


if __name__ == "__main__":
    main()
