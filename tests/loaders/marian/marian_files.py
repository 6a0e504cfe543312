"""Writes small models of Nematus and Marian by their sources and documentation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.loaders.arrays import Arrays, random_arrays

# Both toolkits fix ids 0 and 1.
SOURCE = {"eos": 0, "UNK": 1, "a": 2, "b": 3, "c": 4, "d": 5}
TARGET = {"eos": 0, "UNK": 1, "x": 2, "y": 3, "z": 4}
EMBEDDING, HIDDEN = 3, 4


def gru_shapes(names: tuple[str, ...], inputs: int) -> dict[str, tuple[int, ...]]:
    """W, U and b of the gates, Wx, Ux and bx of the candidate; matrices are (input, output)."""
    h = HIDDEN
    sizes: list[tuple[int, ...]] = [
        (inputs, 2 * h),
        (inputs, h),
        (h, 2 * h),
        (h, h),
        (2 * h,),
        (h,),
    ]
    return dict(zip(names, sizes, strict=True))


FIRST = ("W", "Wx", "U", "Ux", "b", "bx")
SECOND = ("Wc", "Wcx", "U_nl", "Ux_nl", "b_nl", "bx_nl")


def nematus_arrays(tied: bool = False) -> Arrays:
    """Parameters as Nematus' Theano version stores them."""
    states = 2 * HIDDEN
    shapes: dict[str, tuple[int, ...]] = {
        "Wemb": (len(SOURCE), EMBEDDING),
        "Wemb_dec": (len(TARGET), EMBEDDING),
        **gru_shapes(tuple(f"encoder_{n}" for n in FIRST), EMBEDDING),
        **gru_shapes(tuple(f"encoder_r_{n}" for n in FIRST), EMBEDDING),
        "ff_state_W": (states, HIDDEN),
        "ff_state_b": (HIDDEN,),
        **gru_shapes(tuple(f"decoder_{n}" for n in FIRST), EMBEDDING),
        **gru_shapes(tuple(f"decoder_{n}" for n in SECOND), states),
        "decoder_W_comb_att": (HIDDEN, states),
        "decoder_Wc_att": (states, states),
        "decoder_b_att": (states,),
        "decoder_U_att": (states, 1),
        "decoder_c_tt": (1,),
        "ff_logit_lstm_W": (HIDDEN, EMBEDDING),
        "ff_logit_prev_W": (EMBEDDING, EMBEDDING),
        "ff_logit_ctx_W": (states, EMBEDDING),
        **{f"ff_logit_{part}_b": (EMBEDDING,) for part in ("lstm", "prev", "ctx")},
        "ff_logit_W": (EMBEDDING, len(TARGET)),
        "ff_logit_b": (len(TARGET),),
    }
    if tied:
        del shapes["ff_logit_W"]
    return random_arrays(shapes)


NEMATUS_OPTIONS = {
    "dim_word": EMBEDDING,
    "dim": HIDDEN,
    "n_words_src": len(SOURCE),
    "n_words": len(TARGET),
    "dictionaries": ["/data/corpus.src.json", "/data/corpus.trg.json"],
    "encoder": "gru",
    "decoder": "gru_cond",
    "use_dropout": False,
    "factors": 1,
    "layer_normalisation": False,
}


def write_nematus(
    folder: Path, arrays: Arrays | None = None, options: Mapping[str, Any] = NEMATUS_OPTIONS
) -> Path:
    folder.mkdir(exist_ok=True)
    training = {"history_errs": np.zeros(0), "uidx": np.array(100)}
    np.savez(folder / "model.npz", **(arrays or nematus_arrays()), **training)
    (folder / "model.npz.json").write_text(json.dumps(options), encoding="utf-8")
    for side, ids in (("src", {**SOURCE, "rare": 6}), ("trg", {**TARGET, "rare": 5})):
        (folder / f"corpus.{side}.json").write_text(json.dumps(ids), encoding="utf-8")
    return folder / "model.npz"


# ---- Marian -----------------------------------------------------------------------------------

# Nematus' name -> Marian's name; Marian stores vectors as rows.
_MARIAN = {
    "Wemb": "encoder_Wemb",
    "Wemb_dec": "decoder_Wemb",
    **{f"encoder_{n}": f"encoder_bi_{n}" for n in FIRST},
    **{f"encoder_r_{n}": f"encoder_bi_r_{n}" for n in FIRST},
    **{f"decoder_{n}": f"decoder_cell1_{n}" for n in FIRST},
    **{f"decoder_{n}": f"decoder_cell2_{m}" for n, m in zip(SECOND, FIRST, strict=True)},
    "ff_state_W": "decoder_ff_state_W",
    "ff_state_b": "decoder_ff_state_b",
    **{
        f"ff_logit_{part}_{kind}": f"decoder_ff_logit_l1_{kind}{i}"
        for i, part in enumerate(("prev", "lstm", "ctx"))
        for kind in "Wb"
    },
    "ff_logit_W": "decoder_ff_logit_l2_W",
    "ff_logit_b": "decoder_ff_logit_l2_b",
}


def marian_arrays(nematus: Arrays) -> Arrays:
    """Return a Nematus model's arrays with the names and shapes of Marian's type s2s."""
    return {
        _MARIAN.get(name, name): np.atleast_2d(array)
        for name, array in nematus.items()
        if name != "decoder_c_tt"
    }


S2S_OPTIONS = {
    "type": "s2s",
    "version": "v1.9.0",
    "dim-vocabs": [len(SOURCE), len(TARGET)],
    "dim-emb": EMBEDDING,
    "dim-rnn": HIDDEN,
    "enc-type": "bidirectional",
    "enc-cell": "gru",
    "enc-cell-depth": 1,
    "enc-depth": 1,
    "dec-cell": "gru",
    "dec-cell-base-depth": 2,
    "dec-cell-high-depth": 1,
    "dec-depth": 1,
    "skip": False,
    "layer-normalization": False,
    "tied-embeddings": False,
}

TRANSFORMER_OPTIONS = {
    "type": "transformer",
    "dim-vocabs": [len(SOURCE), len(TARGET)],
    "dim-emb": 8,
    "enc-depth": 2,
    "dec-depth": 2,
    "transformer-heads": 2,
    "transformer-no-projection": False,
    "transformer-dim-ffn": 6,
    "transformer-ffn-depth": 2,
    "transformer-ffn-activation": "swish",
    "transformer-decoder-autoreg": "self-attention",
    "transformer-tied-layers": [],
    "transformer-guided-alignment-layer": "last",
    "transformer-preprocess": "",
    "transformer-postprocess-emb": "d",
    "transformer-postprocess": "dan",
    "transformer-postprocess-top": "",
    "tied-embeddings-all": False,
}
PRE_NORM = {
    "transformer-preprocess": "n",
    "transformer-postprocess": "da",
    "transformer-postprocess-top": "n",
}


def ssru_shapes(size: int) -> dict[str, tuple[int, ...]]:
    vectors = {f"rnn_{name}": (1, size) for name in ("bf", "ffn_ln_scale", "ffn_ln_bias")}
    return {"rnn_W": (size, size), "rnn_Wf": (size, size), **vectors}


def aan_shapes(size: int) -> dict[str, tuple[int, ...]]:
    wide = 5
    return {
        **{f"aan_W{name}": (size, size) for name in "if"},
        **{f"aan_b{name}": (1, size) for name in "if"},
        "aan_W1": (size, wide),
        "aan_b1": (1, wide),
        "aan_W2": (wide, size),
        "aan_b2": (1, size),
        "aan_ffn_ln_scale": (1, size),
        "aan_ffn_ln_bias": (1, size),
    }


RECURRENCES: dict[str, Any] = {
    "self-attention": lambda size: {},
    "rnn": ssru_shapes,
    "average-attention": aan_shapes,
}


def transformer_arrays(
    pre_norm: bool = False, learned: bool = False, kind: str = "self-attention"
) -> Arrays:
    """An encoder-decoder with two layers on each side and an output layer of its own.

    kind: self-attention, SSRU or average attention in the decoder.
    """
    size, wide, suffix = 8, 6, "_pre" if pre_norm else ""
    shapes: dict[str, tuple[int, ...]] = {
        "encoder_Wemb": (len(SOURCE), size),
        "decoder_Wemb": (len(TARGET), size),
        "decoder_ff_logit_out_W": (size, len(TARGET)),
        "decoder_ff_logit_out_b": (1, len(TARGET)),
        **({"Wpos": (20, size)} if learned else {}),
    }

    def norm(place: str, end: str = "") -> None:
        shapes[f"{place}_ln_scale{end}"] = shapes[f"{place}_ln_bias{end}"] = (1, size)

    for side in ("encoder", "decoder"):
        for layer in (1, 2):
            start = f"{side}_l{layer}"
            blocks = ["self"] if side == "encoder" or kind == "self-attention" else []
            if side == "decoder":
                blocks.append("context")
                recurrence = RECURRENCES[kind](size)
                shapes |= {f"{start}_{name}": shape for name, shape in recurrence.items()}
            for block in blocks:
                for part in "qkvo":
                    shapes[f"{start}_{block}_W{part}"] = (size, size)
                    shapes[f"{start}_{block}_b{part}"] = (1, size)
                norm(f"{start}_{block}_Wo", suffix)
            shapes |= {f"{start}_ffn_W1": (size, wide), f"{start}_ffn_b1": (1, wide)}
            shapes |= {f"{start}_ffn_W2": (wide, size), f"{start}_ffn_b2": (1, size)}
            norm(f"{start}_ffn_ffn", suffix)
        if pre_norm:
            norm(f"{side}_top")
    return random_arrays(shapes)


def yaml(values: Mapping[str, Any]) -> str:
    """YAML in Marian's style: bare names and indented lists."""
    lines = []
    for name, value in values.items():
        if isinstance(value, list):
            text = "\n".join(["", *(f"  - {item}" for item in value)]) if value else "\n  []"
        else:
            bare = str(value).lower() if isinstance(value, bool) else str(value)
            text = f" {bare}" if bare else ' ""'
        lines.append(f"{name}:{text}")
    return "\n".join(lines)


def write_marian(
    folder: Path, arrays: Arrays, options: Mapping[str, Any], vocabularies: bool = True
) -> Path:
    folder.mkdir(exist_ok=True)
    text = np.frombuffer(yaml(options).encode() + b"\0", np.int8)
    np.savez(folder / "model.npz", **arrays, **{"special:model.yml": text})
    if vocabularies:
        marked = {"eos": "</s>", "UNK": "<unk>"}
        for name, ids in (("vocab.src.yml", SOURCE), ("vocab.trg.yml", TARGET)):
            lines = [f"{marked.get(token, token)}: {i}" for token, i in ids.items()]
            (folder / name).write_text("\n".join(lines), encoding="utf-8")
        decoder = "vocabs:\n  - /data/vocab.src.yml\n  - vocab.trg.yml\nbeam-size: 6\n"
        (folder / "model.npz.decoder.yml").write_text(decoder, encoding="utf-8")
    return folder / "model.npz"


def write_s2s(folder: Path) -> Path:
    return write_marian(folder, marian_arrays(nematus_arrays()), S2S_OPTIONS)


def write_transformer(folder: Path) -> Path:
    return write_marian(folder, transformer_arrays(), TRANSFORMER_OPTIONS)
