"""The .npz file of the package g2p_en: a GRU encoder-decoder from letters to ARPAbet.

The decoder only starts from the encoder's last state. The package stops after 20 symbols; pass
``max_new_tokens=20`` for the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from attnengine.loaders import schema
from attnengine.loaders.checkpoint import Checkpoint, Tensor
from attnengine.loaders.g2p_en import names
from attnengine.loaders.shared.renaming import rename
from attnengine.loaders.shared.sizes import rnn_sizes

SIGNATURE = frozenset(("enc_emb", "dec_emb", "fc_w"))  # arrays that no other .npz file has


def matches(arrays: Collection[str]) -> bool:
    """Whether these are the arrays of a g2p_en file."""
    return SIGNATURE.issubset(arrays)


def read(path: Path, weights: Mapping[str, Tensor]) -> Checkpoint:
    """Rename the weights and add the vocabularies of the package's code."""
    tensors = rename(weights, names.TABLE, path)
    tokens = {"source": names.GRAPHEMES, "target": names.PHONEMES}
    config = {
        "architecture": "rnn_seq2seq",
        **schema.seq2seq_tokens(
            {"source": "characters", "target": "words"},
            start=2,
            source=(None, 2, 0, 1),
            target=(2, 3, 0, 1),
            add_source_eos=True,
        ),
        **rnn_sizes(path, tensors),
        "cell": "gru",
        "nonlinearity": "tanh",
        "bridge_input": "last",
        "bridge_activation": "none",
        "bridge_cell": "zero",
        "attention": "none",
        "attention_size": None,
        "attention_query": "new",
        "input_feeding": False,
        "readout_inputs": ["hidden"],
        "readout_activation": "none",
        "readout_size": None,
        "tied_output": False,
        "max_positions": None,
    }
    return schema.checked(path, config, tensors, tokens)
