"""A missing part of hand-made layers is an error, never a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from attnengine import _core
from tests.models.hand_made import decoder, embedding, encoder, gru, layer, linear, stack

NONE: Any = None


MISSING: dict[str, Callable[[], object]] = {
    "elman input": lambda: _core.ElmanCell(input=NONE, recurrent=linear(4, 4)),
    "gru recurrent": lambda: _core.GRUCell(input=linear(12, 4), recurrent=NONE),
    "lstm input": lambda: _core.LSTMCell(input=NONE, recurrent=NONE),
    "rnn layer": lambda: _core.RnnLayer(forward=NONE),
    "encoder layer": lambda: _core.RnnEncoder(embedding=embedding(), layers=[NONE]),
    "encoder embedding": lambda: _core.RnnEncoder(embedding=NONE, layers=[]),
    "decoder output": lambda: decoder(output=NONE),
    "bridge": lambda: _core.RnnSeq2Seq(encoder=encoder(gru()), bridge=NONE, decoder=decoder()),
    "feed-forward": lambda: layer(feed_forward=NONE),
    "expert's router": lambda: _core.Experts(router=NONE, experts=[], experts_per_token=1),
    "transformer layer": lambda: stack(layers=[NONE]),
    "stack": lambda: _core.TransformerEncoder(NONE),
    "state": lambda: decoder().step([1], [0], NONE),
}


@pytest.mark.parametrize("name", MISSING)
def test_a_part_that_is_missing(name: str) -> None:
    with pytest.raises(TypeError):
        MISSING[name]()
