"""Newton's method for one strength, from a good start (M13): full steps, halved where they go too far."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from eigenshrink.errors import NotConverged
from eigenshrink.newton.problem import Point
from eigenshrink.spectrum.triangular import EPS

Array = NDArray[np.float64]
Solver = Callable[[Array], Array]

MOST = 100  # steps
HALVINGS = 40
SLOW = 0.2  # a step that leaves more than this share of the last one wants fresh curvature
ROUNDED = 1e-9  # share of an objective that may be rounding of large predictors
FLAT = 1e-13  # share of the largest eigenvalue below which a direction has no curvature


def solver(curvature: Array, priced: Array, alpha: float) -> Solver:
    """``g ↦ (H + αE)⁻¹ g`` for g of shape (d,) or (d, m).

    Where that is not positive definite, by its absolute eigenvalues.

    Parameters
    ----------
    curvature : (d, d)
    priced : (d,)
        E, the coordinates that the penalty sees.
    alpha : float, in [0, inf]
        At ∞ they do not move.
    """
    moves = priced == 0 if np.isinf(alpha) else np.ones(len(priced), dtype=bool)
    strength = 0.0 if np.isinf(alpha) else alpha
    total = curvature if moves.all() else curvature[np.ix_(moves, moves)]
    total = total.copy()
    total[np.diag_indices_from(total)] += strength * priced[moves]
    inverse = _inverse(total)

    def solve(gradient: Array) -> Array:
        step = np.zeros_like(gradient)
        step[moves] = inverse(gradient[moves])
        return step

    return solve


def _inverse(total: Array) -> Solver:
    if not len(total):
        return np.zeros_like
    size = np.sqrt(np.abs(np.diag(total)))
    size = np.where(size > 0, size, 1.0)
    even = total / np.outer(size, size)
    try:
        factor = scipy.linalg.cho_factor(even, lower=True, check_finite=False)
        if np.diag(factor[0]).min() > np.sqrt(FLAT):
            return lambda g: (scipy.linalg.cho_solve(factor, (g.T / size).T, check_finite=False).T / size).T
    except np.linalg.LinAlgError:
        pass
    values, Q = np.linalg.eigh(total)
    keep = np.abs(values) > EPS * len(values) * np.abs(values).max(initial=0.0)
    Q, values = Q[:, keep], np.abs(values[keep])
    return lambda g: Q @ ((Q.T @ g).T / values).T


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
            inverse, stale, last = solver(point.curvature, priced, alpha), False, np.inf
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
