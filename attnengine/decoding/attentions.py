"""The attention weights of every head of every layer of Transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.decoding.sentences import Sentence, start
from attnengine.errors import Unsupported

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Attentions:
    """Attention weights of an encoder-decoder, each (layers, heads, query, key).

    encoder
        of source positions over source positions
    decoder
        of target positions over target positions, zero for later ones
    cross
        of target positions over source positions
    """

    encoder: Floats
    decoder: Floats
    cross: Floats


def of_encoder(model: object, ids: list[int]) -> Floats:
    """Weights (layers, heads, tokens, tokens) of an encoder; Unsupported unless a Transformer."""
    if not isinstance(model, _core.TransformerEncoder):
        refuse(model)
    return model.attentions(np.array(ids, np.int32))


def of_decoder(model: object, sentence: Sentence) -> tuple[Floats, Floats]:
    """Weights of self-attention and of cross-attention; Unsupported unless of a Transformer.

    Each is (layers, heads, tokens, tokens or source tokens); a language model has no layers of
    cross-attention.
    """
    if not isinstance(model, (_core.TransformerDecoder, _core.TransformerSeq2Seq)):
        refuse(model)
    state = model.new_state()
    state.keep_attentions = True
    sequences = start(model, state, [sentence])
    count = len(sentence.tokens)
    tokens, want = np.array(sentence.tokens, np.int32), np.zeros(count, bool)
    model.step(tokens, np.repeat(sequences, count), state, want)
    return state.attentions


def of_both(model: object, sentence: Sentence) -> Attentions:
    """The same of an encoder-decoder, and those of its encoder, for a source of ids."""
    if not isinstance(model, _core.TransformerSeq2Seq):
        refuse(model)
    source = cast("list[int]", sentence.source)
    return Attentions(of_encoder(model.encoder, source), *of_decoder(model, sentence))


def refuse(model: object) -> NoReturn:
    """Raise Unsupported for a model that is no Transformer."""
    raise Unsupported(f"attentions of {type(model).__name__}, expected a Transformer")
