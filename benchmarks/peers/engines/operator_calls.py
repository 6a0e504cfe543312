"""Engines that run operators: each makes a call with its inputs once, and repeats the call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.engines.base import Engine, Setup, UnsupportedError

Floats = NDArray[np.float32]
Call = Callable[[], Any]
Make = Callable[..., Call]  # sizes by name -> call
Product = Callable[[Floats], Call]  # x (rows, size) -> call that multiplies x with a weight
SMALL = np.float32(0.03)  # scale of recurrent weights, so that gates do not saturate


class OperatorEngine(Engine):
    """An engine of operators; ``makers`` maps each kind to the function that makes its call."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.made: dict[tuple[Any, ...], Call] = {}
        self.products: dict[tuple[int, int], Product] = {}

    @staticmethod
    def prepare(setup: Setup) -> None:
        """Do nothing: operators read no files."""

    def makers(self) -> dict[str, Make]:
        raise NotImplementedError

    def product(self, out: int, size: int) -> Product:
        """A product with a weight (out, size) and a bias (out,), packed if the engine packs."""
        raise NotImplementedError

    def linear(self, rows: int, out: int, size: int) -> Call:
        """A product; cases with the same weight follow each other and share it."""
        if (out, size) not in self.products:
            self.products = {(out, size): self.product(out, size)}
        return self.products[out, size](normal(rows, size))

    def call(self, kind: str, shape: dict[str, int]) -> Call:
        key = (kind, *shape.items())
        if key not in self.made:
            makers = self.makers()
            if kind not in makers:
                raise UnsupportedError(kind)
            self.made = {key: makers[kind](**shape)}  # only one call stays in memory
        return self.made[key]

    def operator(self, kind: str, shape: dict[str, int], calls: int) -> int:
        call = self.call(kind, shape)
        for _ in range(calls):
            call()
        return calls


def normal(*shape: int) -> Floats:
    """Normal numbers that depend on the shape alone, so that all engines get the same."""
    return np.random.default_rng(0).standard_normal(shape, np.float32)
