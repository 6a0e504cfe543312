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
Product = Callable[[Floats], Call]  # x (rows, size) to a call that multiplies it with a weight
SMALL = np.float32(0.03)  # of recurrent weights, or gates are always open or shut


class OperatorEngine(Engine):
    """Its ``makers`` make the call of every kind that it has."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.made: dict[tuple[Any, ...], Call] = {}
        self.products: dict[tuple[int, int], Product] = {}

    @staticmethod
    def prepare(setup: Setup) -> None:
        """Nothing is read from files."""

    def makers(self) -> dict[str, Make]:
        raise NotImplementedError

    def product(self, out: int, size: int) -> Product:
        """A weight (out, size) and a bias (out,), packed if the engine packs."""
        raise NotImplementedError

    def linear(self, rows: int, out: int, size: int) -> Call:
        """Cases of one weight follow each other and share it."""
        if (out, size) not in self.products:
            self.products = {(out, size): self.product(out, size)}
        return self.products[out, size](normal(rows, size))

    def call(self, kind: str, shape: dict[str, int]) -> Call:
        key = (kind, *shape.items())
        if key not in self.made:
            makers = self.makers()
            if kind not in makers:
                raise UnsupportedError(kind)
            self.made = {key: makers[kind](**shape)}  # only the last one stays in memory
        return self.made[key]

    def operator(self, kind: str, shape: dict[str, int], calls: int) -> int:
        call = self.call(kind, shape)
        for _ in range(calls):
            call()
        return calls


def normal(*shape: int) -> Floats:
    """Normal numbers, the same in every engine of that shape."""
    return np.random.default_rng(0).standard_normal(shape, np.float32)
