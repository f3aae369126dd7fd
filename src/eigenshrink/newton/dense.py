"""The curvature of all coordinates as a matrix, and its inverse at any strength (M4, M12)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from eigenshrink.newton.threads import one_thread
from eigenshrink.spectrum.triangular import EPS

if TYPE_CHECKING:
    from eigenshrink.newton.problem import Point

Array = NDArray[np.float64]

FLAT = 1e-13  # share of the largest eigenvalue below which a direction has no curvature


@dataclass(frozen=True, eq=False)
class Dense:
    """H as a matrix.

    Attributes
    ----------
    total : (d, d)
    priced : (d,)
        E, the coordinates that the penalty sees.
    """

    total: Array
    priced: Array

    def matrix(self, what: str) -> Array:
        """H, ``(d, d)``."""
        return self.total

    def at(self, point: Point) -> Dense:
        """What stands for the curvature at another point: this one, since a fresh one is dear."""
        return self

    def times(self, v: Array) -> Array:
        """``H v`` for v of shape (d, m)."""
        return self.total @ v

    def solver(self, alpha: float, share: float = 0.0) -> Inverse:
        """``(H + αE)⁻¹``, whatever accuracy is asked for."""
        return solver(self.total, self.priced, alpha)

    @property
    def free(self) -> Array:
        """``H_FF``, ``(o m, o m)``."""
        free = np.flatnonzero(self.priced == 0)
        return self.total[np.ix_(free, free)]

    @cached_property
    def largest(self) -> float:
        """The largest eigenvalue of ``H_S``; 0 where there is none above."""
        schur, _ = schur_complement(self.total, self.priced)
        return max(0.0, float(np.linalg.eigvalsh(schur).max(initial=0.0))) if len(schur) else 0.0


@dataclass(frozen=True, eq=False)
class Inverse:
    """``(H + αE)⁻¹`` of the coordinates that move; where that is no such matrix, of absolute eigenvalues.

    Attributes
    ----------
    triangle : (b, b)
        T with ``T Tᵀ`` the matrix; or, ``inverted``, a root ``(b, r)`` of its inverse.
    size : (b,)
        What coordinates are divided by first.
    moves : (d,) of bool
        Coordinates that move: at α = ∞ only free ones.
    inverted : bool
    """

    triangle: Array
    size: Array
    moves: NDArray[np.bool_]
    inverted: bool = False

    def __call__(self, gradient: Array) -> Array:
        """``(H + αE)⁻¹ g`` for g of shape (d,) or (d, m)."""
        g = (gradient[self.moves].T / self.size).T
        if self.inverted:
            own = self.triangle @ (self.triangle.T @ g)
        elif len(g):
            with one_thread(len(g)):
                own = scipy.linalg.cho_solve((self.triangle, True), g, check_finite=False)
        else:
            own = g
        step = np.zeros_like(gradient)
        step[self.moves] = (own.T / self.size).T
        return step

    def at(self, point: Point) -> Inverse:
        """What to step by at another point: the same."""
        return self

    @property
    def root(self) -> Array:
        """``L`` with ``L Lᵀ`` the inverse, ``(d, r)``."""
        own = self.triangle
        if not self.inverted and len(own):
            eye = np.eye(len(own))
            with one_thread(len(own)):
                own = scipy.linalg.solve_triangular(own, eye, trans="T", lower=True, check_finite=False)
        root = np.zeros((len(self.moves), own.shape[1]))
        root[self.moves] = own / self.size[:, None]
        return root


def solver(curvature: Array, priced: Array, alpha: float) -> Inverse:
    """Factorise ``H + αE``.

    Parameters
    ----------
    curvature : (d, d)
    priced : (d,)
        E, the coordinates that the penalty sees.
    alpha : float, in [0, inf]
    """
    moves = priced == 0 if np.isinf(alpha) else np.ones(len(priced), dtype=bool)
    total = curvature[np.ix_(moves, moves)] if np.isinf(alpha) else curvature.copy()
    if np.isfinite(alpha):
        total[np.diag_indices_from(total)] += alpha * priced
    size = np.sqrt(np.abs(np.diag(total)))
    size = np.where(size > 0, size, 1.0)
    total /= np.outer(size, size)
    with one_thread(len(total)):
        return _factorised(total, size, moves)


def _factorised(total: Array, size: Array, moves: NDArray[np.bool_]) -> Inverse:
    if not len(total):
        return Inverse(total, size, moves)
    try:
        triangle, _ = scipy.linalg.cho_factor(total, lower=True, check_finite=False)
        if np.diag(triangle).min() > np.sqrt(FLAT):
            return Inverse(triangle, size, moves)
    except np.linalg.LinAlgError:
        pass
    values, Q = np.linalg.eigh(total)
    keep = np.abs(values) > EPS * len(values) * np.abs(values).max(initial=0.0)
    return Inverse(Q[:, keep] / np.sqrt(np.abs(values[keep])), size, moves, inverted=True)


def schur_complement(curvature: Array, priced: Array) -> tuple[Array, float]:
    """``H_PP − H_PF H_FF⁻¹ H_FP`` and ``log|H_FF|``."""
    pen, free = np.flatnonzero(priced > 0), np.flatnonzero(priced == 0)
    inner = curvature[np.ix_(pen, pen)]
    if not len(free):
        return inner, 0.0
    across = curvature[np.ix_(free, pen)]
    own = curvature[np.ix_(free, free)]
    values, Q = np.linalg.eigh(own)
    keep = values > EPS * len(values) * max(values[-1], EPS)
    root = Q[:, keep] / np.sqrt(values[keep])
    beside = root.T @ across
    inner = inner - beside.T @ beside
    return 0.5 * (inner + inner.T), float(np.sum(np.log(values[keep])))
