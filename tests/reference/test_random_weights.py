from __future__ import annotations

import numpy as np
import pytest

from attnengine.reference.random_weights import random_weights, weight_shapes

CONFIG = {
    "architecture": "rnn_lm",
    "vocab_size": 5,
    "embedding_size": 4,
    "hidden_size": 3,
    "num_layers": 1,
    "cell": "lstm",
    "tied_output": False,
}


def test_same_seed_same_weights() -> None:
    first, second, other = (random_weights(CONFIG, seed) for seed in (0, 0, 1))
    assert first.keys() == weight_shapes(CONFIG).keys()
    for name, w in first.items():
        assert w.dtype == np.float32
        assert w.shape == weight_shapes(CONFIG)[name]
        np.testing.assert_array_equal(w, second[name])
        assert not np.array_equal(w, other[name])


def test_values_do_not_change_between_versions() -> None:
    # Golden files depend on these numbers; NumPy keeps PCG64 and standard_normal stable.
    values = random_weights(CONFIG, 0)["output.bias"]
    expected = [0.08166694, 0.04512610, -0.26205638, 0.04175189, -0.32798418]
    np.testing.assert_allclose(values, expected, rtol=1e-6)


def test_one_more_layer_leaves_the_others_alone() -> None:
    one, two = random_weights(CONFIG, 0), random_weights(CONFIG | {"num_layers": 2}, 0)
    for name, w in one.items():
        np.testing.assert_array_equal(two[name], w)


def test_unknown_architecture() -> None:
    with pytest.raises(ValueError, match="architecture is 'mlp'"):
        random_weights({"architecture": "mlp"}, 0)
