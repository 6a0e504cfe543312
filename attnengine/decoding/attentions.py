"""The attention weights of every head in every layer of a Transformer."""

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
    """Attention weights of an encoder-decoder, each array (layers, heads, query, key).

    encoder
        self-attention of the encoder: from source positions to source positions
    decoder
        self-attention of the decoder: from target positions to target positions; zero for later
        keys
    cross
        cross-attention of the decoder: from target positions to source positions
    """

    encoder: Floats
    decoder: Floats
    cross: Floats


def of_encoder(model: object, ids: list[int]) -> Floats:
    """Return the self-attention weights of an encoder, (layers, heads, tokens, tokens).

    Raises Unsupported unless the encoder is a Transformer.
    """
    if not isinstance(model, _core.TransformerEncoder):
        refuse(model)
    return model.attentions(np.array(ids, np.int32))


def of_decoder(model: object, sentence: Sentence) -> tuple[Floats, Floats]:
    """Return the weights of self-attention and of cross-attention of a decoder.

    The shapes are (layers, heads, tokens, tokens) and (layers, heads, tokens, source tokens). A
    language model has no cross-attention: its second array has 0 layers. Raises Unsupported
    unless the decoder is a Transformer.
    """
    if not isinstance(model, (_core.TransformerDecoder, _core.TransformerSeq2Seq)):
        refuse(model)
    state = model.new_state()
    state.keep_all_attentions = True
    sequences = start(model, state, [sentence])
    count = len(sentence.tokens)
    tokens, want = np.array(sentence.tokens, np.int32), np.zeros(count, bool)
    model.step(tokens, np.repeat(sequences, count), state, want)
    return state.attentions


def of_both(model: object, sentence: Sentence) -> Attentions:
    """Return all attention weights of an encoder-decoder; the sentence's source is a list of ids.

    Raises Unsupported unless the model is a Transformer.
    """
    if not isinstance(model, _core.TransformerSeq2Seq):
        refuse(model)
    source = cast("list[int]", sentence.source)
    return Attentions(of_encoder(model.encoder, source), *of_decoder(model, sentence))


def refuse(model: object) -> NoReturn:
    """Raise Unsupported for a model that is not a Transformer."""
    raise Unsupported(
        f"the model is a {type(model).__name__}, expected a Transformer: only it has attention"
        " weights of layers and heads"
    )
