"""Newton's method for one strength, from a good start (M13): full steps, halved where they go too far."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eigenshrink.errors import NotConverged
from eigenshrink.newton.dense import Inverse
from eigenshrink.newton.problem import Point
from eigenshrink.newton.products import Conjugate, Curvature

Array = NDArray[np.float64]

MOST = 100  # steps
HALVINGS = 40
SLOW = 0.2  # a step that leaves more than this share of the last one wants fresh curvature
BOTTOM = 0.1  # share of the slope along a step that is left where it was a good one
ROUNDED = 1e-9  # share of an objective that may be rounding of large predictors


def solve(start: Point, alpha: float, tolerance: float, curvature: Curvature | None = None) -> Point:
    """The minimiser of ``L̃_α``, to ``tolerance`` of its length.

    Parameters
    ----------
    start : Point
    alpha : float, in [0, inf]
    tolerance : float
        Length of the last step, relative to that of the coordinates.
    curvature : Dense or Products, optional
        A guess of H: it is used as long as it brings steps down quickly, since a fresh one costs a pass of
        n q² over the rows and a gradient only n q.

    Raises
    ------
    NotConverged
        After 100 steps: there is no minimiser (α = 0, separated classes), or none within float64.
    """
    point, last = start, np.inf
    inverse = None if curvature is None else curvature.solver(alpha)
    stale = curvature is not None
    for _ in range(MOST):
        if inverse is None:
            inverse, stale, last = _fresh(point, alpha), False, np.inf
        slope = point.slope(alpha)
        step = -inverse.at(point)(slope)
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


def _fresh(point: Point, alpha: float) -> Inverse | Conjugate:
    """What to step by at a point: H, or where that is not positive definite, what the loss has for it."""
    own = point.curvature.solver(alpha)
    if not own.inverted or point.steady is None:
        return own
    return point.steady.solver(alpha)


def _is_rounding(point: Point, before: Array, alpha: float) -> bool:
    """Whether a gradient that a step has not made smaller is nothing but rounding."""
    left = float(np.linalg.norm(point.slope(alpha)))
    return left > 0.5 * float(np.linalg.norm(before)) and left <= 10 * point.noise(alpha)


def search(point: Point, step: Array, slope: Array, alpha: float) -> Point | None:
    """The point along a step at which the objective has fallen enough, or None where nothing falls.

    A full step of a convex loss that leaves little of the slope along it has found the bottom, and the
    objective is not looked at. Near the minimum that is all rounding; there the slope has to shrink.
    """
    direction = point.problem.design.predictor(step.reshape(point.theta.shape))
    falls, length = float(slope @ step), 1.0
    if point.problem.response.loss.convex:
        found = point.moved(step, direction, length)
        with np.errstate(invalid="ignore", over="ignore"):  # a step may go where predictors overflow
            if abs(found.slope(alpha) @ step) <= BOTTOM * abs(falls):
                return found
    before = point.objective(alpha)
    for _ in range(HALVINGS):
        found = point.moved(step, direction, length)
        after = found.objective(alpha)
        if after <= before + 1e-4 * length * falls:
            return found
        if after <= before + ROUNDED * abs(before) and abs(found.slope(alpha) @ step) <= 0.9 * abs(falls):
            return found
        length *= 0.5
    return None
