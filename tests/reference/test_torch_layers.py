"""The reference against PyTorch's modules, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attnengine.reference import activations, norm, rnn
from attnengine.reference.self_attention import causal_mask, multi_head_attention
from attnengine.reference.softmax import log_softmax, softmax
from attnengine.reference.transformer import Transformer
from tests.helpers.torch_modules import (
    CELLS,
    TRANSFORMER_PEER,
    TransformerPeer,
    rnn_stack,
    torch,
    weights_of,
)

pytestmark = pytest.mark.peers

# Both sides compute in float64; only the order of sums differs.
CLOSE: dict[str, Any] = {"rtol": 1e-10, "atol": 1e-12}


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_elementwise() -> None:
    x = torch.randn(3, 7, dtype=torch.float64)
    f = torch.nn.functional
    pairs = {
        "gelu": f.gelu(x),
        "gelu_tanh": f.gelu(x, approximate="tanh"),
        "hard_sigmoid_6": f.hardsigmoid(x),
        "relu": f.relu(x),
        "sigmoid": torch.sigmoid(x),
        "silu": f.silu(x),
        "tanh": torch.tanh(x),
    }
    for name, expected in pairs.items():
        actual = activations.ACTIVATIONS[name](x.numpy())
        np.testing.assert_allclose(actual, expected.numpy(), err_msg=name, **CLOSE)
    np.testing.assert_allclose(softmax(x.numpy()), f.softmax(x, -1).numpy(), **CLOSE)
    np.testing.assert_allclose(log_softmax(x.numpy()), f.log_softmax(x, -1).numpy(), **CLOSE)
    weight, bias = torch.randn(2, 7, dtype=torch.float64)
    np.testing.assert_allclose(
        norm.layer_norm(x.numpy(), weight.numpy(), bias.numpy(), 1e-5),
        f.layer_norm(x, (7,), weight, bias, 1e-5).numpy(),
        **CLOSE,
    )


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_cells(cell: str, bias: bool) -> None:
    module = CELLS[cell](5, 3, bias=bias, dtype=torch.float64)
    x, hidden, memory = (torch.randn(4, n, dtype=torch.float64) for n in (5, 3, 3))
    weights = {f"{name}_l0": w for name, w in weights_of(module).items()}

    state = rnn.rnn_step(
        x.numpy(), rnn.RnnState(hidden.numpy(), memory.numpy()), weights, rnn.CellOptions(cell)
    )

    if cell == "lstm":
        expected, expected_cell = module(x, (hidden, memory))
        np.testing.assert_allclose(state.cell, expected_cell.detach().numpy(), **CLOSE)
    else:
        expected = module(x, hidden)
    np.testing.assert_allclose(state.hidden, expected.detach().numpy(), **CLOSE)


@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(
    ("cell", "nonlinearity"),
    [("elman", "tanh"), ("elman", "relu"), ("gru", "tanh"), ("lstm", "tanh")],
)
def test_stacks(cell: str, nonlinearity: str, bidirectional: bool, num_layers: int) -> None:
    options: dict[str, Any] = {"num_layers": num_layers, "bidirectional": bidirectional}
    module = rnn_stack(cell, nonlinearity, 5, 3, **options)
    x = torch.randn(6, 5, dtype=torch.float64)

    cells = rnn.CellOptions(cell, nonlinearity)
    states, final = rnn.rnn(x.numpy(), weights_of(module), cells, **options)

    expected, last = module(x)
    hidden, memory = last if cell == "lstm" else (last, None)
    np.testing.assert_allclose(states, expected.detach().numpy(), **CLOSE)
    shape = (num_layers, 2 if bidirectional else 1, 3)
    np.testing.assert_allclose(final.hidden, hidden.detach().numpy().reshape(shape), **CLOSE)
    if memory is not None:
        np.testing.assert_allclose(final.cell, memory.detach().numpy().reshape(shape), **CLOSE)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_projection(bidirectional: bool) -> None:
    module = torch.nn.LSTM(5, 4, 2, bidirectional=bidirectional, proj_size=3, dtype=torch.float64)
    x = torch.randn(6, 5, dtype=torch.float64)

    states, final = rnn.rnn(
        x.numpy(), weights_of(module), rnn.CellOptions("lstm"), 2, bidirectional
    )

    expected, (hidden, memory) = module(x)
    np.testing.assert_allclose(states, expected.detach().numpy(), **CLOSE)
    np.testing.assert_allclose(final.hidden.reshape(-1, 3), hidden.detach().numpy(), **CLOSE)
    np.testing.assert_allclose(final.cell.reshape(-1, 4), memory.detach().numpy(), **CLOSE)


@pytest.mark.parametrize("causal", [False, True])
def test_multi_head_attention(causal: bool) -> None:
    module = torch.nn.MultiheadAttention(8, 2, bias=False, dtype=torch.float64)
    x, w = torch.randn(5, 8, dtype=torch.float64), weights_of(module)
    mask = causal_mask(5) if causal else None

    w_q, w_k, w_v = np.split(w["in_proj_weight"], 3)
    output, weights = multi_head_attention(x.numpy(), w_q, w_k, w_v, w["out_proj.weight"], 2, mask)

    blocked = None if mask is None else torch.from_numpy(~mask)
    expected = module(x, x, x, attn_mask=blocked, average_attn_weights=False)
    np.testing.assert_allclose(output, expected[0].detach().numpy(), **CLOSE)
    np.testing.assert_allclose(weights, expected[1].detach().numpy(), **CLOSE)


@pytest.mark.parametrize("norm_placement", ["pre", "post"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("final_norm", [True, False])
def test_transformer(norm_placement: str, activation: str, final_norm: bool) -> None:
    config = TRANSFORMER_PEER | {
        "norm_placement": norm_placement,
        "final_norm": final_norm,
        "activation": activation,
    }
    peer = TransformerPeer(config)
    source, target = [1, 7, 3, 10], [2, 9, 9, 4, 0]

    logits = Transformer(config, peer.weights()).logits(source, target)

    np.testing.assert_allclose(logits, peer.logits(source, target), **CLOSE)
