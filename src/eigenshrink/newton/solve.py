"""Newton's method for one strength, from a good start (M13): full steps, halved where they go too far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from eigenshrink.errors import NotConverged
from eigenshrink.newton.problem import Point
from eigenshrink.newton.threads import one_thread
from eigenshrink.spectrum.triangular import EPS

Array = NDArray[np.float64]

MOST = 100  # steps
HALVINGS = 40
SLOW = 0.2  # a step that leaves more than this share of the last one wants fresh curvature
ROUNDED = 1e-9  # share of an objective that may be rounding of large predictors
FLAT = 1e-13  # share of the largest eigenvalue below which a direction has no curvature


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


def solve(start: Point, alpha: float, tolerance: float, curvature: Array | None = None) -> Point:
    """The minimiser of ``L̃_α``, to ``tolerance`` of its length.

    Parameters
    ----------
    start : Point
    alpha : float, in [0, inf]
    tolerance : float
        Length of the last step, relative to that of the coordinates.
    curvature : (d, d), optional
        A guess of H: it is used as long as it brings steps down quickly, since a fresh one costs a pass of
        n q² over the rows and a gradient only n q.

    Raises
    ------
    NotConverged
        After 100 steps: there is no minimiser (α = 0, separated classes), or none within float64.
    """
    priced, point, last = start.problem.priced, start, np.inf
    inverse = None if curvature is None else solver(curvature, priced, alpha)
    stale = curvature is not None
    for _ in range(MOST):
        if inverse is None:
            inverse, stale, last = _fresh(point, alpha), False, np.inf
        slope = point.slope(alpha)
        step = -inverse(slope)
        found = search(point, step, slope, alpha)
        length = float(np.linalg.norm(step))
        if found is None or _is_rounding(found, slope, alpha):
            if not stale:
                return found or point
            inverse = None
            continue
        point = found
        if length <= tolerance * float(np.linalg.norm(point.theta)):
            return point
        inverse, stale = (None, False) if length > SLOW * last else (inverse, True)
        last = length
    raise NotConverged(
        f"no minimum was found at alpha = {alpha:g} within {MOST} steps: the loss falls without end there"
    )


def _fresh(point: Point, alpha: float) -> Inverse:
    """What to step by at a point: H, or where that is not positive definite, what the loss has for it."""
    own = solver(point.curvature, point.problem.priced, alpha)
    if not own.inverted or point.steady is None:
        return own
    return solver(point.steady, point.problem.priced, alpha)


def _is_rounding(point: Point, before: Array, alpha: float) -> bool:
    """Whether a gradient that a step has not made smaller is nothing but rounding."""
    left = float(np.linalg.norm(point.slope(alpha)))
    return left > 0.5 * float(np.linalg.norm(before)) and left <= 10 * point.noise(alpha)


def search(point: Point, step: Array, slope: Array, alpha: float) -> Point | None:
    """The point along a step at which the objective has fallen enough, or None where nothing falls.

    Near the minimum the objective is all rounding; there the slope along the step has to shrink.
    """
    direction = point.problem.design.predictor(step.reshape(point.theta.shape))
    before, falls = point.objective(alpha), float(slope @ step)
    length = 1.0
    for _ in range(HALVINGS):
        found = point.moved(step, direction, length)
        after = found.objective(alpha)
        if after <= before + 1e-4 * length * falls:
            return found
        if after <= before + ROUNDED * abs(before) and abs(found.slope(alpha) @ step) <= 0.9 * abs(falls):
            return found
        length *= 0.5
    return None
