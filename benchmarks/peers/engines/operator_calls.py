"""Engines that run operators: each makes a call with its inputs once, then it is repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.engines.base import Engine, Setup, UnsupportedError

Floats = NDArray[np.float32]
Call = Callable[[], Any]
Make = Callable[..., Call]  # sizes by name to a call


class OperatorEngine(Engine):
    """Its ``makers`` make the call of every kind that it has."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.made: dict[tuple[Any, ...], Call] = {}

    @staticmethod
    def prepare(setup: Setup) -> None:
        """Nothing is read from files."""

    def makers(self) -> dict[str, Make]:
        raise NotImplementedError

    def operator(self, kind: str, shape: dict[str, int], calls: int) -> int:
        key = (kind, *shape.items())
        if key not in self.made:
            makers = self.makers()
            if kind not in makers:
                raise UnsupportedError(kind)
            self.made = {key: makers[kind](**shape)}  # only the last one stays in memory
        call = self.made[key]
        for _ in range(calls):
            call()
        return calls


def normal(*shape: int) -> Floats:
    """Normal numbers, the same in every engine of that shape."""
    return np.random.default_rng(0).standard_normal(shape, np.float32)
