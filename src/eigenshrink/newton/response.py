"""Targets as a loss reads them: o outputs that are free of each other, the offset added (M14).

The softmax of c classes does not change when all its predictors move together. Penalised weights settle
where they add up to zero over the classes; fixing the same for the free ones leaves ``o = c − 1`` outputs
along orthonormal contrasts, in which the penalty keeps its form and the curvature its full rank.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from eigenshrink.models.loss import Loss

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Response:
    """The targets of n rows.

    Attributes
    ----------
    loss : Loss
    y : (n,)
        Numbers, or codes of classes.
    offset : (n,) or None
    classes : int
        c of a loss of several classes; 1 for all others.
    """

    loss: Loss
    y: Array
    offset: Array | None = None
    classes: int = 1

    @property
    def outputs(self) -> int:
        """O."""
        return max(1, self.classes - 1)

    @cached_property
    def contrasts(self) -> Array:
        """Orthonormal contrasts between classes, ``(c, o)``; one for a single output."""
        if self.classes == 1:
            return np.ones((1, 1))
        return np.asarray(scipy.linalg.helmert(self.classes).T)

    def take(self, picked: Codes) -> Response:
        """Some of the rows."""
        offset = None if self.offset is None else self.offset[picked]
        return replace(self, y=self.y[picked], offset=offset)

    def predictor(self, eta: Array) -> Array:
        """The predictors that the loss reads, ``(n, c, ...)`` or ``(n, ...)``, of η ``(n, o, ...)``."""
        if self.classes > 1:
            return _apart(eta)
        full = eta[:, 0]
        return full if self.offset is None else full + self.offset.reshape(-1, *[1] * (full.ndim - 1))

    def value(self, eta: Array) -> Array:
        """``ℓ`` of each row, ``(n, ...)``."""
        full = self.predictor(eta)
        return self.loss.value(self._targets(full), full)

    def wrong(self, eta: Array) -> Array:
        """1.0 for each row that is put into a wrong class, ``(n, ...)``; ties count half."""
        full = self.predictor(eta)
        if self.classes > 1:
            return np.asarray(
                np.argmax(full, axis=1) != self.y.reshape(-1, *[1] * (full.ndim - 2)), dtype=np.float64
            )
        side = np.sign(full) * np.sign(2 * self._targets(full) - 1)
        return np.asarray(0.5 - 0.5 * side)

    def slope(self, eta: Array) -> Array:
        """``∂ℓ/∂η``, ``(n, o, ...)``."""
        full = self.predictor(eta)
        if self.classes > 1:
            each = self.loss.slope(self._targets(full), full)
            return _contrasted(each)
        return self.loss.slope(self._targets(full), full)[:, None]

    def curvature(self, eta: Array) -> Array:
        """``∂²ℓ/∂η∂ηᵀ``, ``(n, o, o)``, of η ``(n, o)``."""
        full = self.predictor(eta)
        each = self.loss.curvature(self._targets(full), full)
        if self.classes > 1:
            return np.asarray(self.contrasts.T @ each @ self.contrasts)
        return each[:, None, None]

    def rounding(self, eta: Array) -> Array:
        """What ``∂ℓ/∂η`` is rounded by, in units of ε, ``(n, o, ...)``: by its own size, and by that of η."""
        size = np.abs(self.slope(eta))
        if self.classes > 1:
            return size
        full = self.predictor(eta)
        with np.errstate(over="ignore", invalid="ignore"):
            bent = np.abs(self.loss.curvature(self._targets(full), full)) * (1.0 + np.abs(full))
        return size + bent[:, None]

    def steady(self, eta: Array) -> Array | None:
        """A curvature above 0 of a single output, ``(n, 1, 1)``, where the own one may not be."""
        if self.loss.steady is None:
            return None
        full = self.predictor(eta)
        return np.asarray(self.loss.steady(self._targets(full), full))[:, None, None]

    def mean(self, eta: Array) -> Array:
        """Expected response ``(n, ...)``, or probabilities ``(n, c, ...)``."""
        return self.loss.mean(self.predictor(eta))

    def _targets(self, full: Array) -> Array:
        """Targets that broadcast against the predictors; codes of classes as they are."""
        if self.classes > 1:
            return self.y
        return self.y.reshape(-1, *[1] * (full.ndim - 1))

    def separated(self, eta: Array) -> bool:
        """Whether every row of class data lies on its own side of the boundary: then no minimum exists."""
        if not self.loss.classes:
            return False
        full = self.predictor(eta)
        if self.classes > 1:
            own = full[np.arange(len(full)), self.y.astype(np.intp)]
            others = full.copy()
            others[np.arange(len(full)), self.y.astype(np.intp)] = -np.inf
            return bool(np.all(own > others.max(axis=1)))
        return bool(np.all((2 * self.y - 1) * full > 0))


def _apart(eta: Array) -> Array:
    """Helmert's contrasts ``(c, o)`` times η ``(n, o, ...)`` by running sums, without the matrix."""
    own, order = _scaled(eta)
    full = np.zeros((len(eta), eta.shape[1] + 1, *eta.shape[2:]))
    full[:, :-1] = np.cumsum(own[:, ::-1], axis=1)[:, ::-1]
    full[:, 1:] -= order * own
    return full


def _contrasted(each: Array) -> Array:
    """The transposed product, ``(n, o, ...)`` of ``(n, c, ...)``."""
    found = np.cumsum(each[:, :-1], axis=1)
    _, order = _scaled(found)
    found -= order * each[:, 1:]
    return _scaled(found)[0]


def _scaled(values: Array) -> tuple[Array, Array]:
    """Values ``(n, o, ...)`` over ``√(k(k+1))``, and k, which broadcasts against them."""
    order = np.arange(1.0, values.shape[1] + 1).reshape(-1, *[1] * (values.ndim - 2))
    return values / np.sqrt(order * (order + 1)), order
