from __future__ import annotations

import numpy as np
import pytest

from attnengine.reference.activations import ACTIVATIONS
from attnengine.reference.experts import experts, route


def test_the_best_experts_by_hand() -> None:
    x = np.array([[1.0]])
    router = np.log([[1.0], [5.0], [2.0], [2.0]])  # shares 0.1, 0.5, 0.2, 0.2
    np.testing.assert_allclose(route(x, router, 1), [[0, 1, 0, 0]])
    np.testing.assert_allclose(route(x, router, 2), [[0, 5 / 7, 2 / 7, 0]])  # the first of equals
    np.testing.assert_allclose(route(x, router, 2, normalise=False), [[0, 0.5, 0.2, 0]])


def test_every_expert_alone_and_all_together() -> None:
    rng = np.random.default_rng(0)
    x, router = rng.normal(size=(7, 4)), rng.normal(size=(3, 4))
    gate_up, down = rng.normal(size=(3, 10, 4)), rng.normal(size=(3, 4, 5))
    alone = np.stack(
        [
            (ACTIVATIONS["silu"](x @ first[:5].T) * (x @ first[5:].T)) @ last.T
            for first, last in zip(gate_up, down, strict=True)
        ]
    )  # (experts, rows, hidden)
    best = (x @ router.T).argmax(axis=1)
    one = experts(x, router, gate_up, down, 1)
    np.testing.assert_allclose(one, alone[best, np.arange(7)], rtol=1e-12)
    together = np.einsum("re,erh->rh", route(x, router, 3), alone)
    np.testing.assert_allclose(experts(x, router, gate_up, down, 3), together, rtol=1e-12)
    assert route(x, router, 3).sum(axis=1) == pytest.approx(1)
