"""Any strength between the anchors: cubic Hermite in log α, Newton steps until it is proved (M16, M17)."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline

from eigenshrink.data.rows import slices
from eigenshrink.errors import NotConverged
from eigenshrink.newton.anchors import Anchor, Anchors
from eigenshrink.newton.dense import Inverse
from eigenshrink.newton.problem import TOGETHER, Point, Problem
from eigenshrink.newton.products import Conjugate, Curvature, blended
from eigenshrink.newton.solve import solve
from eigenshrink.spectrum.triangular import EPS

Array = NDArray[np.float64]

ROUNDS = 12  # of steps for all strengths together, before each is solved for itself
FACTORS = 1 << 25  # numbers of factorised curvatures that are held at a time
FALLS = 0.9  # share of a gradient that a step may leave, if steps are to go on
CHORDS = 6  # steps of the free block with the curvature at hand
SURE = 256.0  # times its rounding, up to which a free gradient counts as solved
MARGIN = 0.5  # of the tolerance that a gradient is brought down to
NEAREST = 4  # anchors that say what the curvature is between them


@dataclass(frozen=True, eq=False)
class Solved:
    """The path at ``a`` strengths.

    Attributes
    ----------
    theta : (a, o, q)
    residual : (a,)
        ``‖∇L̃_α‖`` with the free block solved, its rounding included.
    length : (a,)
        ``‖v‖ = ‖w̃‖_D``.
    loss : (a,)
        L.
    """

    theta: Array
    residual: Array
    length: Array
    loss: Array


def solve_many(problem: Problem, anchors: Anchors, alphas: Array, tolerance: float) -> Solved:
    """Solve for strengths in (0, ∞) until ``‖∇L̃_α‖ ≤ α · tolerance · ‖v‖``, or only rounding is left.

    Raises
    ------
    NotConverged
        If a strength has no minimiser that can be found.
    """
    n, (o, q) = len(problem.design.share), problem.shape
    step = min(TOGETHER // max(1, n * o), max(1, FACTORS // problem.dim**2))
    parts = [_together(problem, anchors, alphas[some], tolerance) for some in slices(len(alphas), step)]
    return _joined(parts or [Solved(np.zeros((0, o, q)), *np.zeros((3, 0)))])


def certify(problem: Problem, anchors: Anchors, thetas: Array, alphas: Array) -> Solved:
    """The residuals of coordinates ``(a, o, q)`` as they are, with their free part solved (M16)."""
    curvatures = [curvature_at(anchors, alpha) for alpha in alphas]
    parts = [
        _certified(problem, thetas[some], alphas[some], curvatures[some]) for some, _ in problem.many(thetas)
    ]
    return _joined(parts)


def _joined(parts: list[Solved]) -> Solved:
    return Solved(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Solved))
    )


def _together(problem: Problem, anchors: Anchors, alphas: Array, tolerance: float) -> Solved:
    thetas = np.stack([_start(anchors, alpha) for alpha in alphas])
    curvatures = [curvature_at(anchors, alpha) for alpha in alphas]
    inverses = [H.solver(alpha) for H, alpha in zip(curvatures, alphas, strict=True)]
    left = np.full(len(alphas), np.inf)  # of each gradient; 0: solved, NaN: it does not fall
    for _ in range(ROUNDS):
        open_ = np.flatnonzero(left > 0)
        if not len(open_):
            break
        _improve(problem, thetas, alphas, inverses, open_, left, tolerance)
    for j in np.flatnonzero(left != 0):
        point = solve(_safest(problem, anchors, alphas[j]), alphas[j], tolerance)
        thetas[j] = point.theta
        curvatures[j] = point.curvature
    return _certified(problem, thetas, alphas, curvatures)


def _safest(problem: Problem, anchors: Anchors, alpha: float) -> Point:
    """Where the objective is lowest of what is known beside a strength."""
    beside = [anchor.point for anchor, _ in lagrange(anchors, alpha, 2)]
    return min([*beside, problem.at(_start(anchors, alpha))], key=lambda point: point.objective(alpha))


def _improve(
    problem: Problem,
    thetas: Array,
    alphas: Array,
    inverses: list[Inverse | Conjugate],
    some: NDArray[np.intp],
    left: Array,
    tol: float,
) -> None:
    """One step for some of the strengths, in place, as long as their gradients fall."""
    o, q = problem.shape
    n = len(problem.design.share)
    flat = np.moveaxis(thetas[some], 0, 1).reshape(-1, q)
    eta = problem.design.predictor(flat).reshape(n, o, len(some))
    gradients, size = problem.gradients(eta)
    for j, at in enumerate(some):
        theta, alpha = thetas[at].ravel(), alphas[at]
        slope = gradients[j].ravel() + alpha * problem.priced * theta
        length = float(np.linalg.norm(theta * problem.priced))
        now, last = float(np.linalg.norm(slope)), left[at]
        if now <= max(MARGIN * tol * alpha * length, size[j] * problem.noise):
            left[at] = 0.0
        elif now < FALLS * last:
            left[at] = now
            here = Point(problem, thetas[at], eta[:, :, j])
            thetas[at] -= inverses[at].at(here)(slope).reshape(o, q)
        else:
            left[at] = np.nan


def _certified(problem: Problem, thetas: Array, alphas: Array, curvatures: list[Curvature]) -> Solved:
    """Solve the free block, then take the gradient on the data."""
    o, q = problem.shape
    n, m, a = len(problem.design.share), problem.design.rank, len(alphas)
    thetas = thetas.copy()
    eta = problem.design.predictor(np.moveaxis(thetas, 0, 1).reshape(-1, q)).reshape(n, o, a)
    if m:
        sure = _solve_free(problem, thetas, eta, curvatures)
    gradients, _ = problem.gradients(eta)
    v = thetas[:, :, m:]
    slope = gradients[:, :, m:] + alphas[:, None, None] * v
    length = np.sqrt(np.einsum("aoq,aoq->a", v, v))
    residual = np.sqrt(np.einsum("aoq,aoq->a", slope, slope))
    residual += problem.rounding(eta) * problem.noise + left_out(problem, eta)
    if m:
        residual[~sure] = np.inf  # with free weights that are not solved the gradient proves nothing
    return Solved(thetas, residual, length, problem.losses(eta))


def _solve_free(
    problem: Problem, thetas: Array, eta: Array, curvatures: list[Curvature]
) -> NDArray[np.bool_]:
    """Solve the free block alone, in place; where it has no gradient left but rounding, ``(a,)``.

    First steps with the curvature at hand, all strengths together; what these do not bring down is solved
    for itself.
    """
    o, m, a = problem.shape[0], problem.design.rank, len(thetas)
    here = (Point(problem, theta, eta[:, :, j]) for j, theta in enumerate(thetas))
    own = np.stack([H.at(point).free for H, point in zip(curvatures, here, strict=True)])
    inverse = np.linalg.pinv(own, hermitian=True)
    noise = 4 * EPS * problem.rounding(eta)
    gradient, size = _free_slopes(problem, eta)
    for _ in range(CHORDS):
        moves = size > noise
        if not moves.any():
            break
        step = -(inverse @ gradient.reshape(a, -1, 1)).reshape(-1, o, m)
        step[~moves] = 0.0
        there = eta + np.einsum("nm,aom->noa", problem.design.free, step)
        found, left = _free_slopes(problem, there)
        better = left < size
        if not better.any():
            break
        thetas[better, :, :m] += step[better]
        eta[:, :, better] = there[:, :, better]
        gradient[better], size[better] = found[better], left[better]
    for j in np.flatnonzero(size > noise):
        try:
            point = solve(problem.at(thetas[j]), np.inf, EPS)
        except NotConverged:
            continue
        thetas[j], eta[:, :, j] = point.theta, point.eta
        _, size[j : j + 1] = _free_slopes(problem, eta[:, :, j : j + 1])
    return np.asarray(size <= SURE * noise)


def _free_slopes(problem: Problem, eta: Array) -> tuple[Array, Array]:
    """Free gradients ``(a, o, m)`` and their lengths ``(a,)``."""
    with np.errstate(invalid="ignore", over="ignore"):
        gradient = problem.free_gradients(eta)
    return gradient, np.linalg.norm(gradient.reshape(len(gradient), -1), axis=1)


def left_out(problem: Problem, eta: Array) -> Array | float:
    """What the gradient may hold along directions that were left out as rounding."""
    if problem.design.lost == 0.0:
        return 0.0
    slope = problem.response.slope(eta) * problem.design.share[:, None, None]
    return np.asarray(problem.design.lost * np.sqrt(np.einsum("nob,nob->b", slope, slope)))


def _start(anchors: Anchors, alpha: float) -> Array:
    """Coordinates by cubic Hermite in log α, or beyond the anchors by the nearest one's curvature."""
    places, place = anchors.places, np.log(alpha)
    if not places[0] <= place <= places[-1]:
        nearest = anchors.between[0] if place < places[0] else anchors.between[-1]
        return _beyond(nearest, alpha)
    left = int(np.clip(np.searchsorted(places, place) - 1, 0, len(places) - 2)) if len(places) > 1 else 0
    if len(places) == 1:
        return anchors.between[0].theta.copy()
    ends = anchors.between[left], anchors.between[left + 1]
    spline = CubicHermiteSpline(
        places[left : left + 2], [end.theta for end in ends], [end.tangent for end in ends]
    )
    return np.asarray(spline(place))


def _beyond(anchor: Anchor, alpha: float) -> Array:
    """One Newton step from an anchor to another strength."""
    slope = anchor.point.slope(alpha)
    step = anchor.curvature.solver(alpha)(slope)
    return anchor.theta - step.reshape(anchor.theta.shape)


def curvature_at(anchors: Anchors, alpha: float) -> Curvature:
    """H by interpolation in log α between the nearest anchors; that of the last one beyond them."""
    near = lagrange(anchors, alpha, NEAREST)
    return blended([(anchor.curvature, weight) for anchor, weight in near])


def lagrange(anchors: Anchors, alpha: float, most: int) -> list[tuple[Anchor, float]]:
    """The nearest anchors with their weights of polynomial interpolation in log α; they add up to one."""
    places, place = anchors.places, np.log(alpha)
    if place <= places[0] or place >= places[-1]:
        return [(anchors.between[0 if place <= places[0] else -1], 1.0)]
    right = int(np.searchsorted(places, place))
    first = int(np.clip(right - most // 2, 0, max(0, len(places) - most)))
    some = np.arange(first, min(first + most, len(places)))
    weights = [np.prod([(place - places[k]) / (places[j] - places[k]) for k in some if k != j]) for j in some]
    return [(anchors.between[j], float(weight)) for j, weight in zip(some, weights, strict=True)]
