"""What products with the curvature of a network will cost: bytes and seconds, measured on one batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

ENOUGH, MOST = 0.02, 7  # seconds and runs of a measurement


@dataclass(frozen=True)
class Forecast:
    """The cost of products, before they are made.

    Attributes
    ----------
    kind : str
        "ggn" or "hessian".
    route : str
        How they are computed.
    parameters : int
        p.
    rows, batches : int
        Of one pass over the data.
    kept : int
        Batches whose linearisation is kept; the others are linearised anew in each product.
    kept_bytes : int
        What that takes.
    seconds_per_gradient, seconds_per_product : float
        Of the whole data.
    """

    kind: str
    route: str
    parameters: int
    rows: int
    batches: int
    kept: int
    kept_bytes: int
    seconds_per_gradient: float
    seconds_per_product: float

    @property
    def gradients(self) -> float:
        """Price of a product in gradients."""
        return self.seconds_per_product / self.seconds_per_gradient

    def seconds(self, products: int) -> float:
        """Of so many products, one after the other."""
        return products * self.seconds_per_product

    def __str__(self) -> str:
        size = f"{counted(self.parameters, 'weight')}, {counted(self.rows, 'row')}"
        price = f"about {self.seconds_per_product:.2g} s per product ({self.gradients:.1f} gradients)"
        batches = f"{self.kept} of {counted(self.batches, 'batch', 'batches')}"
        return f"{size}: {price}, {size_of(self.kept_bytes)} kept for {batches}, {self.route}"


def counted(count: int, one: str, many: str = "") -> str:
    """A number in words that keeps short: 950 weights, 2.1e5 weights."""
    said = str(count) if count < 10_000 else f"{count:.1e}".replace("e+0", "e").replace("e+", "e")
    return f"{said} {one if count == 1 else many or one + 's'}"


def size_of(count: int) -> str:
    """Bytes in the unit that suits."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count} bytes"


def seconds_of(work: Callable[[], Any]) -> float:
    """Of the fastest of some runs, after one that is not counted; quick work is run more often."""
    work()
    runs = [_once(work), _once(work)]
    while sum(runs) < ENOUGH and len(runs) < MOST:
        runs.append(_once(work))
    return min(runs)


def _once(work: Callable[[], Any]) -> float:
    start = perf_counter()
    work()
    return max(perf_counter() - start, 1e-9)
