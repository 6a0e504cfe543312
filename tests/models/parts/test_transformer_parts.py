"""Parts of hand-made Transformers that do not fit are named in an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from attnengine import _core
from attnengine.errors import InvalidArgument
from tests.models.hand_made import (
    attention,
    cross_layer,
    encoder_of,
    expert,
    head_norms,
    key_bias,
    language_model,
    layer,
    linear,
    norm,
    recurrent,
    source_attention,
    speech_encoder,
    ssru,
    stack,
    transformer_decoder,
)

NONE: Any = None

CONTRADICTIONS: list[tuple[Callable[[], object], str]] = [
    (
        lambda: _core.TransformerSeq2Seq(
            encoder=_core.TransformerEncoder(stack()),
            decoder=transformer_decoder(stack()),
        ),
        "the decoder has no cross_attention",
    ),
    (lambda: layer(self_attention=None), "both None, expected one"),
    (lambda: layer(recurrence=ssru()), "both given"),
    (lambda: language_model(layer(), recurrent()), "some layers have a recurrence"),
    (lambda: _core.TransformerEncoder(stack(layers=[recurrent()])), "has a recurrence"),
    (lambda: language_model(recurrent(ssru(3))), r"recurrence weight.shape\[1\] is 3, expected 4"),
    (
        lambda: language_model(recurrent(_core.AverageRecurrence(gate=linear(8, 4)))),
        r"recurrence gate weight.shape\[1\] is 4, expected 8",
    ),
    (lambda: stack(positions=np.ones((5, 3))), r"positions.shape\[1\] is 3, expected 4"),
    (lambda: stack(positions=np.ones((4, 4))), r"positions.shape\[0\] is 4, expected 5"),
    (
        lambda: _core.TransformerEncoder(stack(positions=None, max_positions=-1)),
        "max_positions is -1, expected 0 or more",
    ),
    (lambda: encoder_of(embedding_norm=norm(5)), "embedding_norm size is 5, expected 4"),
    (lambda: encoder_of(projection=linear(4, 5)), r"projection weight.shape\[1\] is 5, expected 4"),
    (lambda: encoder_of(final_norm=norm(3)), "final_norm size is 3, expected 4"),
    (
        lambda: encoder_of(layers=[layer(self_attention_norm=_core.BlockNorm(after=norm(3)))]),
        "self_attention_norm size is 3, expected 4",
    ),
    (
        lambda: _core.TransformerEncoder(stack(), pooling_query=np.ones(3)),
        r"pooling_query.shape\[0\] is 3, expected 4",
    ),
    (
        lambda: language_model(layer(self_attention=attention(key_norm=norm(3)))),
        "key_norm size is 3, expected 4",
    ),
    (
        lambda: language_model(layer(self_attention=attention(window=-1))),
        "window is -1, expected 0 or more",
    ),
    (
        lambda: language_model(
            layer(self_attention=attention(position_bias=_core.PositionBias(table=np.ones((3, 5)))))
        ),
        "table.size is 15, expected 10",
    ),
    (
        lambda: language_model(
            layer(self_attention=attention(position_bias=_core.PositionBias(slopes=np.ones(3))))
        ),
        r"slopes.shape\[0\] is 3, expected 2",
    ),
    (
        lambda: _core.PositionBias(table=np.ones((2, 4))),
        r"table.shape\[1\] is 4, expected an odd number",
    ),
    (
        lambda: language_model(
            layer(parallel=True, self_attention_norm=_core.BlockNorm(after=norm(4)))
        ),
        "a parallel layer has cross_attention or a norm after a block",
    ),
    (
        lambda: _core.Experts(router=linear(2, 4), experts=[expert()], experts_per_token=1),
        r"router weight.shape\[0\] is 2, expected 1",
    ),
    (
        lambda: _core.Experts(router=linear(1, 4), experts=[expert()], experts_per_token=2),
        "experts_per_token is 2, expected 1 to 1",
    ),
    (
        lambda: _core.Experts(router=linear(1, 4), experts=[NONE], experts_per_token=1),
        "experts holds None",
    ),
    (
        lambda: language_model(
            layer(
                feed_forward=_core.Experts(
                    router=linear(1, 3), experts=[expert()], experts_per_token=1
                )
            )
        ),
        r"router weight.shape\[1\] is 3, expected 4",
    ),
    (lambda: _core.TransformerEncoder(stack(layers=[])), "layers is empty"),
    (  # an encoded source holds keys of one size
        lambda: language_model(cross_layer(source_attention(1)), cross_layer(source_attention(2))),
        r"cross_attention key_value weight.shape\[0\] of a later layer is 8, expected 4",
    ),
    (
        lambda: language_model(cross_layer(source_attention(rotary=_core.Rotary([1.0])))),
        "cross_attention has a rotary, a position_bias",
    ),
    (
        lambda: layer(cross_attention=source_attention()),
        "one of cross_attention and cross_attention_norm is None, expected both or neither",
    ),
    (
        lambda: language_model(layer(self_attention=attention(rotary=_core.Rotary([1.0, 2.0])))),
        "rotary turns 4 dimensions, expected at most the head_dim 2",
    ),
    (lambda: language_model(layer(), cross_layer(source_attention())), "expected all or none"),
    (
        lambda: language_model(layer(self_attention=attention(num_kv_heads=2, num_heads=1))),
        "num_kv_heads is 2, expected a divisor of 1",
    ),
    (
        lambda: language_model(layer(self_attention=attention(num_heads=0))),
        "num_heads is 0, expected at least 1",
    ),
    (
        lambda: _core.PerHeadLayerNorm(np.ones((2, 0)), eps=1e-5),
        r"weight.shape is \(2, 0\), expected sizes of at least 1",
    ),
    (
        lambda: language_model(layer(self_attention=attention(query_norm=head_norms(3)))),
        "self_attention query_norm size is 6, expected 4",
    ),
    (
        lambda: language_model(layer(self_attention=attention(position_bias=key_bias(3, 2)))),
        "self_attention keys.size is 6, expected 4",
    ),
    (
        lambda: language_model(
            layer(self_attention=attention(position_bias=key_bias(2, 5), window=3))
        ),
        "self_attention has a bias of keys and a window, expected one of both",
    ),
    (
        lambda: language_model(layer(self_attention=attention(position_bias=key_bias(2, 4)))),
        r"position_bias keys.shape\[1\] is 4, expected",
    ),
    (
        lambda: language_model(layer(self_attention=source_attention())),
        "self_attention has query and key_value, expected query_key_value",
    ),
    (
        lambda: language_model(cross_layer(attention())),
        "cross_attention has query_key_value, expected query and key_value",
    ),
    (
        lambda: attention(query=linear(4, 4)),
        "expected either query_key_value alone, or query and key_value",
    ),
    (
        lambda: language_model(layer(parallel=True, feed_forward_norm=_core.BlockNorm())),
        "a parallel layer has a block without a norm before it",
    ),
    (
        lambda: language_model(cross_layer(source_attention(clip=1.0))),
        "cross_attention has a rotary, .*a clip or norms",
    ),
    (
        lambda: language_model(layer(self_attention=attention(clip=-1.0))),
        "score_cap and clip are 0.0* and -1.0*, expected 0 or more",
    ),
    (
        lambda: transformer_decoder(stack(), logit_cap=float("nan")),
        "logit_cap is nan, expected 0 or more",
    ),
    (
        lambda: speech_encoder(layers=[recurrent()]),
        "a stack without an embedding has a recurrence",
    ),
    (
        lambda: _core.PositionBias(table=np.ones((0, 5))),
        r"table.shape is \(0, 5\), expected sizes of at least 1",
    ),
    (lambda: linear(3, 0), r"weight.shape is \(3, 0\), expected sizes of at least 1"),
    (lambda: _core.Embedding(np.ones((0, 3))), r"weight.shape is \(0, 3\)"),
]


@pytest.mark.parametrize(("make", "message"), CONTRADICTIONS)
def test_parts_that_contradict_each_other(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        make()
