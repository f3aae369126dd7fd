"""The record of a spectrum: eigenvalues, directions, what the targets say along each (M7, M12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.rows import Rows

Array = NDArray[np.float64]

ROUNDING = 1e-24  # share of a sum of squares that is rounding


class Basis(Protocol):
    """The directions Q, as an array or as something that can be multiplied."""

    def back(self, coordinates: Array) -> Array:
        """Rotate back: ``Q c``, (k, m) to (p_pen, m)."""
        ...

    def forth(self, vectors: Array) -> Array:
        """Rotate: ``Qᵀ v``, (p_pen, m) to (k, m)."""
        ...


class Scores(Protocol):
    """The rows in the eigenbasis: left singular vectors U of the projected, scaled Z.

    ``free_signal`` (m_F, t) holds the targets along an orthonormal basis of the free columns.
    """

    @property
    def free_signal(self) -> Array:
        """``(m_F, t)``."""
        ...

    def blocks(self) -> Iterator[tuple[slice, Array, Array]]:
        """Row slices with U ``(b, k)`` and the basis of the free columns ``(b, m_F)``."""
        ...

    def pick(self, picked: NDArray[np.intp]) -> tuple[Array, Array]:
        """U and the basis of the free columns at some rows."""
        ...


@dataclass(frozen=True, eq=False)
class DenseBasis:
    """Q as an array, ``(p_pen, k)``."""

    array: Array

    def back(self, coordinates: Array) -> Array:
        """``Q c``."""
        return self.array @ coordinates

    def forth(self, vectors: Array) -> Array:
        """``Qᵀ v``."""
        return self.array.T @ vectors


@dataclass(frozen=True, eq=False)
class DualBasis:
    """``Q = D^{-½} Z_Pᵀ U / σ``, kept as the product: no array of p_pen × k is held."""

    rows: Rows
    penalised: NDArray[np.intp]
    scale: Array
    left: Array  #     (n, k)  U
    singular: Array  # (k,)    σ

    def back(self, coordinates: Array) -> Array:
        """``Q c`` in one pass over the columns."""
        inner = self.left @ (coordinates / self.singular[:, None])
        vectors = self.rows.transpose_times(inner)
        if len(self.penalised) < len(vectors):
            vectors = vectors[self.penalised]
        if np.any(self.scale != 1.0):
            vectors *= self.scale[:, None]
        return vectors

    def forth(self, vectors: Array) -> Array:
        """``Qᵀ v`` in one pass over the rows."""
        full = np.zeros((self.rows.shape[1], vectors.shape[1]))
        full[self.penalised] = self.scale[:, None] * vectors
        inner = np.concatenate([block for _, block in self.rows.times(full)])
        coordinates: Array = (self.left.T @ inner) / self.singular[:, None]
        return coordinates


@dataclass(frozen=True, eq=False)
class FreeBlock:
    """Free weights, eliminated exactly: ``w_F = offset − onto · w_P`` (M12).

    Attributes
    ----------
    rank : int
        ``m = rank(H_FF)``, the intercept included: what free weights add to γ.
    onto : (f, p_pen)
        ``H_FF⁺ H_FP``: an array, or what can be multiplied like one (:class:`~.eliminated.Onto`).
    offset : (f, t)
        Free weights where the penalised ones are zero.
    root : (f, m_F)
        ``root · rootᵀ = H_FF⁺``: what their own scatter needs when the rows are gone (M15).
    """

    rank: int
    onto: Any
    offset: Array
    root: Array


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigen-decomposition of ``D^{-½} H_S D^{-½}`` (M7, M12).

    Attributes
    ----------
    eigenvalues : (k,)
        λ, descending, unit loss / weight² per unit of penalty factor.
    directions : Basis
        Q.
    numerators : (k, t)
        ``Qᵀ(A v₀ − D^{-½} g_S)``: the path is ``numerators / (λ + α)`` along Q (M5).
    at : float
        Strength at which H was taken.
    route : str
        How it was computed: primal-gram, primal-svd, dual-gram, dual-svd, dense, lanczos or dual-products.
    floor : float
        Strength below which fewer than six digits are sure; 0 where there is none.
    free : FreeBlock
    outside : (t,)
        Mean squared target outside the span of the columns (the ``RSS/S`` of ``α → 0``); empty without
        data.
    scores : Scores or None
        Rows in the eigenbasis.
    one_target : bool
        Results carry no target axis.
    margin : float
        How far an eigenvalue may lie below the smallest one here, if that is negative.
    """

    eigenvalues: Array
    directions: Basis
    numerators: Array
    at: float
    route: str
    floor: float
    free: FreeBlock
    outside: Array = field(default_factory=lambda: np.zeros(0))
    scores: Scores | None = None
    one_target: bool = True
    margin: float = 0.0

    @cached_property
    def basis(self) -> Array:
        """Q as an array, ``(p_pen, k)``; made when first asked for."""
        if isinstance(self.directions, DenseBasis):
            return self.directions.array
        return self.directions.back(np.eye(len(self.eigenvalues)))

    @cached_property
    def squares(self) -> Array:
        """Mean square of the targets along each left direction, ``(k, t)``."""
        return np.square(self.numerators / np.sqrt(self.eigenvalues)[:, None])

    @property
    def coordinates(self) -> Array:
        """``Qᵀ D^{½} w*``: the unregularised solution along each direction, ``(k,)`` or ``(t, k)``.

        Zero along flat directions (the least D-norm, M6).
        """
        values = coordinates_of(self.eigenvalues, self.numerators).T
        return values[0] if self.one_target else values


def coordinates_of(eigenvalues: Array, numerators: Array) -> Array:
    """``numerators / λ``, zero where λ is zero, ``(k, t)``."""
    safe = np.where(eigenvalues == 0, np.inf, eigenvalues)
    return numerators / safe[:, None]


def numerical_floor(largest: float, smallest: float, relative_error: float, squared: bool) -> float:
    """Strength below which the relative error estimate of w̃ exceeds 1e-6.

    The estimate is ``relative_error · κ(H + αD)`` on a Gram route and of its root on an SVD route.
    """
    share = relative_error * 1e6
    return max(0.0, largest * (share if squared else share**2) - smallest)


def left_outside(squares: Array, total: Array, spare: int) -> Array:
    """Sums of squares outside the span; exactly zero where no row is spare or only rounding is left."""
    if spare <= 0:
        return np.zeros_like(squares)
    return np.where(squares <= ROUNDING * total, 0.0, squares)
