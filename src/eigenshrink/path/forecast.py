"""What the path of a large model needs in memory, before it is begun (M19)."""

from __future__ import annotations

from dataclasses import dataclass

from eigenshrink.errors import InputError
from eigenshrink.fit import Fit
from eigenshrink.spectrum.dual_products import ROWS, factor_bytes
from eigenshrink.spectrum.eliminated import by_columns, column_bytes
from eigenshrink.spectrum.probing import FIRST, LEAST, STEPS

WORK = 10  # vectors in float64 that come and go
FEWEST = 12  # vectors of a Krylov space that are worth beginning with


@dataclass(frozen=True)
class Forecast:
    """Bytes, and how many products they allow.

    Attributes
    ----------
    route : str
        whole, dual-products or lanczos.
    columns : int
        Of the columns of free weights; 0 where they are solved inside every product.
    basis : int
        Of the Krylov basis when all products are made, or of the arrays of the other routes.
    probes : int
        Of the bases of the probes: what is left, up to what eight of them take.
    products : int
        The most products of the path: those asked for, or fewer where the memory ends.
    """

    route: str
    columns: int
    basis: int
    probes: int
    products: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.columns + self.basis + self.probes


def forecast(fit: Fit, whole: int, products: int, memory: int) -> Forecast:
    """Choose the route and share the memory out.

    Raises
    ------
    InputError
        If the memory does not hold the shortest Krylov basis.
    """
    p, rows = len(fit.penalty_factor), fit.curvature.factor_rows
    if p <= whole:
        return Forecast("whole", 0, 4 * 8 * p * p, 0, p)
    if rows is not None and rows <= ROWS and factor_bytes(fit, rows) <= memory // 2:
        return Forecast("dual-products", 0, factor_bytes(fit, rows), 0, rows)
    one = p * fit.curvature.precision.itemsize
    columns = column_bytes(fit) if by_columns(fit, memory) else 0
    left = (memory - columns - WORK * 8 * p) // one
    vectors = min(products + 2, left - 2 * (LEAST + 1))
    if vectors < min(FEWEST, products + 2):
        needed = columns + WORK * 8 * p + (FEWEST + 2 * (LEAST + 1)) * one
        raise InputError(
            f"{p:,} weights need {needed / 1e9:.2g} GB for the shortest Krylov basis, {memory / 1e9:.2g} GB "
            "are allowed: allow more memory, or study fewer weights (freeze some)"
        )
    probes = min(left - vectors, FIRST * (STEPS + 1))
    return Forecast("lanczos", columns, vectors * one + WORK * 8 * p, probes * one, vectors - 2)
