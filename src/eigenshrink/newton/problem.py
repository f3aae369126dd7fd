"""The regularised problem as a function of its coordinates: value, gradient, curvature (M1, M2, M4).

Coordinates are ``(o, q)``: one row for each output, what is free first. Flat ones are their ``ravel``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.rows import slices
from eigenshrink.newton.dense import Dense
from eigenshrink.newton.design import Design
from eigenshrink.newton.products import Curvature, Products
from eigenshrink.newton.response import Response
from eigenshrink.spectrum.triangular import EPS

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

TOGETHER = 1 << 21  # predictors that are held at a time
LARGEST = 4000  # coordinates of several classes whose curvature is made a matrix


@dataclass(frozen=True, eq=False)
class Problem:
    """A loss on rows.

    Attributes
    ----------
    design : Design
    response : Response
    """

    design: Design
    response: Response

    @property
    def shape(self) -> tuple[int, int]:
        """Outputs o and coordinates q of each."""
        return self.response.outputs, self.design.size

    @property
    def dim(self) -> int:
        """``o q``."""
        return self.shape[0] * self.shape[1]

    @property
    def whole(self) -> bool:
        """Whether the curvature is a matrix; of many classes with many columns there are only products."""
        return self.response.classes == 1 or self.dim <= LARGEST

    @cached_property
    def priced(self) -> Array:
        """1 for flat coordinates that the penalty sees, 0 for free ones, ``(o q,)``."""
        own = np.repeat([0.0, 1.0], [self.design.rank, self.design.size - self.design.rank])
        return np.tile(own, self.response.outputs)

    @cached_property
    def noise(self) -> float:
        """Rounding of a gradient, as a multiple of the root mean square slope of the rows."""
        squares = np.zeros(self.design.rows.shape[1])
        for rows, block in self.design.rows.blocks():
            squares += self.design.share[rows] @ block**2
        return EPS * float(np.sqrt(1.0 + squares[self.design.picked] @ self.design.stretch**2))

    def at(self, theta: Array) -> Point:
        """Everything at coordinates ``(o, q)``: one product with the rows."""
        return Point(self, theta, self.design.predictor(theta))

    def many(self, thetas: Array) -> Iterator[tuple[slice, Array]]:
        """Predictors ``(n, o, b)`` of some of the coordinates ``(a, o, q)`` at a time."""
        a, o, q = thetas.shape
        n = len(self.design.share)
        for picked in slices(a, TOGETHER // max(1, n * o)):
            b = thetas[picked].shape[0]
            flat = np.moveaxis(thetas[picked], 0, 1).reshape(o * b, q)
            yield picked, self.design.predictor(flat).reshape(n, o, b)

    def gradients(self, eta: Array) -> tuple[Array, Array]:
        """``∇L`` of each column of predictors ``(n, o, b)``, ``(b, o, q)``, and root mean square slopes."""
        n, o, b = eta.shape
        slope = self.response.slope(eta)
        size = np.sqrt(np.einsum("n,nob->b", self.design.share, slope**2))
        slope *= self.design.share[:, None, None]
        gradient = self.design.back(slope.reshape(n, o * b)).reshape(o, b, -1)
        return np.moveaxis(gradient, 1, 0), size

    def rounding(self, eta: Array) -> Array:
        """Root mean square rounding of the slopes of each column of predictors, in units of ε, ``(b,)``."""
        squares = self.response.rounding(eta) ** 2
        return np.asarray(np.sqrt(np.einsum("n,nob->b", self.design.share, squares)))

    def free_gradients(self, eta: Array) -> Array:
        """The free part of the gradients, ``(b, o, m)``: no product with the penalised columns."""
        slope = self.response.slope(eta)
        return np.asarray(
            np.einsum("n,nob,nm->bom", self.design.share, slope, self.design.free, optimize=True)
        )

    def losses(self, eta: Array) -> Array:
        """``L`` of each column of predictors ``(n, o, b)``, ``(b,)``."""
        return np.asarray(self.design.share @ self.response.value(eta))

    def weighted(self, share: Array) -> Problem:
        """The same rows with other shares, which add up to one."""
        return Problem(replace(self.design, share=share), self.response)

    def take(self, picked: Codes) -> Problem:
        """The problem of some of the rows."""
        return Problem(self.design.take(picked), self.response.take(picked))


@dataclass(frozen=True, eq=False)
class Point:
    """A problem at some coordinates.

    Attributes
    ----------
    problem : Problem
    theta : (o, q)
    eta : (n, o)
        Without offset.
    """

    problem: Problem
    theta: Array
    eta: Array

    @cached_property
    def loss(self) -> float:
        """L."""
        with np.errstate(over="ignore", invalid="ignore"):
            value = float(self.problem.losses(self.eta[:, :, None])[0])
        return value if np.isfinite(value) else np.inf

    @property
    def gradient(self) -> Array:
        """``∇L``, flat ``(o q,)``."""
        return self._gradient[0]

    def noise(self, alpha: float) -> float:
        """Length of the rounding of ``∇L̃_α``."""
        price = 0.0 if np.isinf(alpha) else alpha * float(np.linalg.norm(self.theta))
        return self._gradient[1] * self.problem.noise + EPS * price

    @cached_property
    def _gradient(self) -> tuple[Array, float]:
        found, size = self.problem.gradients(self.eta[:, :, None])
        return found[0].ravel(), float(size[0])

    @cached_property
    def curvature(self) -> Curvature:
        """H of flat coordinates."""
        if not self.problem.whole:
            return Products(self.problem.design, self.problem.response, self.eta)
        return self._assembled(self.problem.response.curvature(self.eta))

    @cached_property
    def steady(self) -> Dense | None:
        """A positive definite matrix to step by where H is not; None: H always is."""
        each = self.problem.response.steady(self.eta)
        return None if each is None else self._assembled(each)

    def _assembled(self, each: Array) -> Dense:
        o, q = self.problem.shape
        lower = np.tril_indices(o)
        blocks = self.problem.design.grams(self.problem.design.share[:, None] * each[:, *lower])
        total = np.empty((o, q, o, q))
        for a, b, block in zip(*lower, blocks, strict=True):
            total[a, :, b], total[b, :, a] = block, block
        return Dense(total.reshape(o * q, o * q), self.problem.priced)

    def objective(self, alpha: float) -> float:
        """``L̃_α``."""
        if np.isinf(alpha):
            return self.loss
        v = self.theta.ravel() * self.problem.priced
        return self.loss + 0.5 * alpha * float(v @ v)

    def slope(self, alpha: float) -> Array:
        """``∇L̃_α``, flat; at α = ∞ only what is free can move."""
        priced = self.problem.priced
        if np.isinf(alpha):
            return self.gradient * (1.0 - priced)
        return self.gradient + alpha * priced * self.theta.ravel()

    def moved(self, step: Array, direction: Array, length: float) -> Point:
        """The point ``length`` steps further; ``direction`` is the step's predictor ``(n, o)``."""
        theta = self.theta + length * step.reshape(self.theta.shape)
        return Point(self.problem, theta, self.eta + length * direction)
