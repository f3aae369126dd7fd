"""The curvature of many classes by products with the rows: no matrix, conjugate gradients (M4, M19).

``H v = (G, R)ᵀ diag(s/S) W (G, R) v`` with ``W = diag π − ππᵀ`` of each row, taken class by class and turned
into contrasts where that is cheap, on the coordinates. Conjugate gradients run on the curvature that each
class has by itself, ``c`` matrices of ``q × q``: near H since no two of many classes have much to do with
each other.
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

if TYPE_CHECKING:
    from eigenshrink.newton.problem import Point

Array = NDArray[np.float64]

FORCING = 1e-2  # of a gradient that a Newton step may leave
PRECISE = 1e-5  # the same of a solution that is asked for by itself
MOST = 1000  # conjugate gradients
UNSEEN = 1e-8  # share of the largest curvature that a class without rows is taken to have
TINY = 1e-30  # curvature of classes that are all predicted without doubt
TOGETHER = 1 << 21  # predictors that are held at a time


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

    @property
    def largest(self) -> float:
        """The largest eigenvalue of ``H_S`` where all rows are predicted alike."""
        values = np.linalg.eigvalsh(self._weighted(self.probabilities, self.design.share))
        return max(0.0, float(values[-1])) * float(self.design.principal.max(initial=0.0))

    @cached_property
    def own(self) -> Array:
        """Curvature of each class beside all others as they are, ``(c, q, q)``."""
        mean, q = self.probabilities, self.design.size
        weight = mean * (1.0 - mean) * self.design.share[:, None]
        total = np.zeros((mean.shape[1], q * q))
        for rows in slices(len(mean), max(1, TOGETHER // (q * q))):
            block = self.design.blocks(rows)
            total += weight[rows].T @ (block[:, :, None] * block[:, None, :]).reshape(len(block), -1)
        return total.reshape(-1, q, q)


@dataclass(frozen=True, eq=False)
class Conjugate:
    """``(H + αE)⁻¹`` by conjugate gradients on the curvature of each class by itself.

    Attributes
    ----------
    products : Products
    alpha : float
        In [0, inf]; at ∞ only free coordinates move.
    share : float
        What may be left of a gradient, both in the norm of the classes by themselves.
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
        """About ``(H + αE)⁻¹ g``: each class by itself, g of shape (d, m)."""
        (o, q), m, contrasts = self.products.shape, gradient.shape[1], self.products.response.contrasts
        each = (contrasts @ gradient.reshape(o, q * m)).reshape(-1, q, m)
        return np.asarray(contrasts.T @ (self._apart @ each).reshape(-1, q * m)).reshape(o * q, m)

    @cached_property
    def _apart(self) -> Array:
        """``(H_cc + αE)⁻¹`` of each class, ``(c, q, q)``, a class without rows taken to have a little."""
        total, m = self.products.own.copy(), self.products.design.rank
        q = total.shape[1]
        moving, each = (m if np.isinf(self.alpha) else q), np.arange(q)
        floor = UNSEEN * total[:, each, each].max(initial=0.0)
        if moving == q:
            total[:, each[m:], each[m:]] += self.alpha
        total[:, each, each] += max(floor, TINY)
        inverse = np.zeros_like(total)
        inverse[:, :moving, :moving] = np.linalg.inv(total[:, :moving, :moving])
        return inverse


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
