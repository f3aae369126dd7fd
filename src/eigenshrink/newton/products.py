"""The curvature of many classes by products with the rows: no matrix, conjugate gradients (M4, M19).

``H v = (G, R)ᵀ diag(s/S) W (G, R) v`` with ``W = diag π − ππᵀ`` of each row, taken class by class and turned
into contrasts where that is cheap, on the coordinates. With the mean of W over the rows in the place of each,
``W̄ ⊗ (G, R)ᵀ diag(s/S) (G, R)``, it is H itself where all rows are predicted alike, and two small
eigendecompositions invert it at every strength.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.rows import slices
from eigenshrink.errors import InputError
from eigenshrink.newton.dense import Dense
from eigenshrink.newton.design import Design
from eigenshrink.newton.response import Response
from eigenshrink.spectrum.triangular import EPS

if TYPE_CHECKING:
    from eigenshrink.newton.problem import Point

Array = NDArray[np.float64]

FORCING = 1e-2  # of a gradient that a Newton step may leave
PRECISE = 1e-5  # the same of a solution that is asked for by itself
MOST = 1000  # conjugate gradients
TOGETHER = 1 << 22  # predictors that are held at a time


@dataclass(frozen=True, eq=False)
class Products:
    """H at one point.

    Attributes
    ----------
    design : Design
    response : Response
        Of classes.
    eta : (n, o)
    """

    design: Design
    response: Response
    eta: Array

    @property
    def shape(self) -> tuple[int, int]:
        """Outputs o and coordinates q of each."""
        return self.response.outputs, self.design.size

    def matrix(self, what: str) -> Array:
        """Refused: it would not fit.

        Raises
        ------
        InputError
            Always.
        """
        o, q = self.shape
        raise InputError(
            f"{what} would take the curvature of {o} x {q} = {o * q} weights at once (classes but one times "
            "columns and the intercept), which is too large a matrix: choose by validation rows or "
            "criterion='kfold', which do without, or give fewer classes or columns"
        )

    def at(self, point: Point) -> Products:
        """The curvature at another point: a fresh one costs nothing."""
        return Products(point.problem.design, point.problem.response, point.eta)

    def times(self, v: Array) -> Array:
        """``H v`` for v of shape (d, m): two products with the rows."""
        return self.product(self.probabilities, v)

    @property
    def probabilities(self) -> Array:
        """``π``, ``(n, c)``."""
        return self.response.mean(self.eta)

    def product(self, mean: Array, v: Array) -> Array:
        """The same where the probabilities are at hand."""
        (o, q), (n, c) = self.shape, mean.shape
        step = max(1, TOGETHER // max(1, n * c))
        parts = [self._product(mean, v[:, some]) for some in slices(v.shape[1], step)]
        return np.hstack(parts) if parts else np.zeros((o * q, 0))

    def _product(self, mean: Array, v: Array) -> Array:
        (o, q), (n, c), m = self.shape, mean.shape, v.shape[1]
        contrasts = self.response.contrasts
        each = (contrasts @ v.reshape(o, q * m)).reshape(c, q, m).transpose(0, 2, 1)
        eta = self.design.predictor(each.reshape(c * m, q)).reshape(n, c, m)
        eta -= np.einsum("nc,ncm->nm", mean, eta)[:, None]
        eta *= (mean * self.design.share[:, None])[:, :, None]
        back = self.design.back(eta.reshape(n, c * m)).reshape(c, m * q)
        return (contrasts.T @ back).reshape(o, m, q).transpose(0, 2, 1).reshape(o * q, m)

    def solver(self, alpha: float, share: float = FORCING) -> Conjugate:
        """``(H + αE)⁻¹`` up to a share of what it is applied to."""
        return Conjugate(self, alpha, share)

    @property
    def free(self) -> Array:
        """``H_FF``, ``(o m, o m)``."""
        o, m, G = self.shape[0], self.design.rank, self.design.free
        total = np.empty((o, m, o, m))
        mean = self.probabilities
        for j in range(m):
            for k in range(j + 1):
                weight = self.design.share * G[:, j] * G[:, k]
                total[:, j, :, k] = total[:, k, :, j] = self._weighted(mean, weight)
        return total.reshape(o * m, o * m)

    def _weighted(self, mean: Array, weight: Array) -> Array:
        """``Σ v_i W_i`` in contrasts, ``(o, o)``."""
        contrasts = self.response.contrasts
        total = np.diag(weight @ mean) - mean.T @ (weight[:, None] * mean)
        return np.asarray(contrasts.T @ total @ contrasts)

    @cached_property
    def average(self) -> tuple[Array, Array]:
        """Eigenvalues ``(o,)``, ascending, and eigenvectors of ``W̄``."""
        values, U = np.linalg.eigh(self._weighted(self.probabilities, self.design.share))
        return np.maximum(values, 0.0), U

    @property
    def largest(self) -> float:
        """The largest eigenvalue of ``H_S`` where all rows are predicted alike."""
        return float(self.average[0][-1] * self.design.principal[0].max(initial=0.0))


@dataclass(frozen=True, eq=False)
class Conjugate:
    """``(H + αE)⁻¹`` by conjugate gradients on the average curvature of all rows.

    Attributes
    ----------
    products : Products
    alpha : float
        In [0, inf]; at ∞ only free coordinates move.
    share : float
        Length of what is left, in the norm of the average curvature, relative to that of the gradient.
    """

    products: Products
    alpha: float
    share: float

    inverted = False  # H of classes is never negative

    def at(self, point: Point) -> Conjugate:
        """What to step by at another point."""
        return Conjugate(self.products.at(point), self.alpha, self.share)

    def __call__(self, gradient: Array) -> Array:
        """``(H + αE)⁻¹ g`` for g of shape (d,) or (d, m)."""
        left = np.where(self.moves[:, None], gradient.reshape(len(gradient), -1), 0.0)
        mean = self.products.probabilities
        found, ahead = np.zeros_like(left), self.rough(left)
        along, now = ahead, np.sum(left * ahead, axis=0)
        enough = self.share**2 * now
        for _ in range(MOST):
            going = now > enough
            if not going.any():
                break
            bent = self._times(mean, along)
            steep = np.sum(along * bent, axis=0)
            length = np.where(going & (steep > 0), now, 0.0) / np.where(steep > 0, steep, 1.0)
            found += length * along
            left -= length * bent
            ahead = self.rough(left)
            after = np.where(length > 0, np.sum(left * ahead, axis=0), 0.0)
            along = ahead + np.where(now > 0, after / np.where(now > 0, now, 1.0), 0.0) * along
            now = after
        return found.reshape(gradient.shape)

    @cached_property
    def moves(self) -> NDArray[np.bool_]:
        """Coordinates that move, ``(d,)``."""
        o, design = self.products.shape[0], self.products.design
        return np.tile(np.isfinite(self.alpha) | (np.arange(design.size) < design.rank), o)

    def _times(self, mean: Array, v: Array) -> Array:
        design, (o, q) = self.products.design, self.products.shape
        bent = self.products.product(mean, v)
        if np.isinf(self.alpha):
            return np.where(self.moves[:, None], bent, 0.0)
        bent.reshape(o, q, -1)[:, design.rank :] += self.alpha * v.reshape(o, q, -1)[:, design.rank :]
        return bent

    def rough(self, gradient: Array) -> Array:
        """``(W̄ ⊗ GᵀG + αE)⁻¹ g``, g of shape (d, m)."""
        (o, q), m = self.products.shape, gradient.shape[1]
        (_, U), (_, basis) = self.products.average, self.products.design.principal
        inner = (U.T @ gradient.reshape(o, q * m)).reshape(o, q, m)
        inner = np.matmul(basis.T, inner) / self._bent[:, :, None]
        return np.asarray(U @ np.matmul(basis, inner).reshape(o, q * m)).reshape(o * q, m)

    @cached_property
    def _bent(self) -> Array:
        """Eigenvalues of that average, ``(o, q)``; endless where nothing moves."""
        each, (values, _) = self.products.average[0], self.products.design.principal
        m, r = self.products.design.rank, len(values)
        price = np.repeat([0.0, self.alpha], [m, r])
        bent = each[:, None] * np.concatenate([np.ones(m), values]) + price
        return np.where(bent > 10 * EPS * bent[np.isfinite(bent)].max(initial=0.0), bent, np.inf)


Curvature = Dense | Products


def blended(parts: Sequence[tuple[Curvature, float]]) -> Curvature:
    """``Σ weight · H``; without matrices the one that weighs most, since sums are as dear as each."""
    dense = [(part, weight) for part, weight in parts if isinstance(part, Dense)]
    if not dense:
        return max(parts, key=lambda part: part[1])[0]
    total = np.zeros_like(dense[0][0].total)
    for part, weight in dense:
        total += weight * part.total
    return Dense(total, dense[0][0].priced)
