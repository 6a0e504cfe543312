"""Parts of hand-made RNNs that do not fit are named in an error, never a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from attnengine import _core
from attnengine.errors import InvalidArgument
from tests.models.hand_made import (
    attending,
    decoder,
    encoder,
    encoder_of,
    gru,
    linear,
    lstm,
    seq2seq,
)

NONE: Any = None

CONTRADICTIONS: list[tuple[Callable[[], object], str]] = [
    (lambda: decoder(cells=[gru(), NONE]), r"cells\[1\] is None"),
    (lambda: decoder(cells=[]), "cells is empty"),
    (lambda: decoder(cells=[gru(), lstm()]), r"cells\[1\] is of another type"),
    (lambda: decoder(query_previous=True, encoder_size=4), "expected a decoder with attention"),
    (
        lambda: decoder(transition=gru(), encoder_size=4),
        "transition is given, expected a decoder with attention",
    ),
    (lambda: attending(transition=lstm()), r"transition is of another type than cells\[0\]"),
    (lambda: attending(transition=gru(size=5)), "input size of the decoder's transition is 5"),
    (
        lambda: attending(transition=gru(), query_previous=True, cells=[gru(size=8)]),
        "query_previous is True, expected False with a transition",
    ),
    (
        lambda: decoder(readout=linear(5, 4), readout_activation="maxout"),
        r"readout weight.shape\[0\] is 5, expected an even number for maxout",
    ),
    (lambda: decoder(input_feeding=True), "expected a readout layer"),
    (lambda: decoder(readout_inputs=["context"]), "expected a decoder with attention"),
    (
        lambda: decoder(attention=_core.AttentionScore(), encoder_size=4),
        "with_source is False, expected True",
    ),
    (lambda: encoder(), "layers is empty"),
    (lambda: encoder(gru(), gru(size=5)), "input size of encoder layer 1 is 5, expected 4"),
    (  # the bridge projects the hidden state to the decoder's size and copies the cell
        lambda: seq2seq(
            encoder(gru(9)), [lstm()], input="last", hidden=linear(4, 9), cell_start="own"
        ),
        "size of the encoder state that the bridge copies is 9, expected 4",
    ),
    (
        lambda: seq2seq(
            encoder(gru(), gru(9)), [gru(), gru()], input="final", hidden=linear(8, 18)
        ),
        "size of every encoder layer of this bridge is 4, expected 9",
    ),
    (
        lambda: _core.WindowDecoder(
            encoder=encoder(gru()), output=linear(13, 4), window=2**16 + 1, pooling="last"
        ),
        "window is 65537, expected 1 to 65536",
    ),
    (
        lambda: _core.WindowDecoder(
            encoder=encoder_of(), output=linear(13, 4), window=6, pooling="last"
        ),
        "window is 6, expected at most the 5 positions that the encoder reads",
    ),
    (  # all_states makes a state wider than the top layer's final state
        lambda: seq2seq(encoder(gru(), all_states=True), [gru()], input="last"),
        "size of an encoder's states that a bridge reads is 8, expected 4",
    ),
    (lambda: encoder(gru()).new_state(2**62), "sentences is .*, expected 1 to 2147483647"),
    (lambda: _core.AttentionScore(vector=[]), r"vector.shape\[0\] is 0, expected at least 1"),
    (
        lambda: _core.ElmanCell(input=linear(4, 4), recurrent=linear(4, 4), nonlinearity="tan"),
        'nonlinearity is "tan", expected one of none, linear',
    ),
]


@pytest.mark.parametrize(("make", "message"), CONTRADICTIONS)
def test_parts_that_contradict_each_other(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        make()
