"""Strengths at which the path is solved exactly, from strong to weak (M13, M17)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from eigenshrink.errors import InputError, NotConverged
from eigenshrink.newton.dense import schur_complement
from eigenshrink.newton.design import LITTLE
from eigenshrink.newton.problem import Point, Problem
from eigenshrink.newton.products import PRECISE, Curvature, blended
from eigenshrink.newton.solve import solve
from eigenshrink.newton.threads import one_thread
from eigenshrink.spectrum.triangular import EPS

Array = NDArray[np.float64]

SPACING = 0.92  # of anchors in log α: five in two decades
FINE = 0.46  # where a curvature costs little
ROUGH = 0.23  # where it does not change gently
TOP = 10.0  # times the largest eigenvalue: the strongest anchor, from where α → ∞ is near
BOTTOM = 0.01  # times the smallest eigenvalue: the weakest one, from where α → 0 is near
FLOOR = 1e-13  # of the largest eigenvalue, below which no anchor is put
FAR = 0.5  # share of the weights without a penalty that may change below the weakest anchor
GONE = 1e-3  # share of its curvature that a direction keeps on the way to α = 0 if there is a minimum
LITTLE_LEFT = 1e-4  # share of the same that many classes are not followed for
DONE = 1e-3  # share of the loss without columns that separated classes are followed to


@dataclass(frozen=True, eq=False)
class Anchor:
    """The path at one strength.

    Attributes
    ----------
    alpha : float
        In [0, inf].
    point : Point
        Solved; its predictors are kept.
    curvature : Dense or Products
        H there.
    """

    alpha: float
    point: Point = field(repr=False)
    curvature: Curvature = field(repr=False)

    @property
    def theta(self) -> Array:
        """Coordinates ``(o, q)``."""
        return self.point.theta

    @cached_property
    def tangent(self) -> Array:
        """``dθ/d log α = −α (H + αE)⁻¹ E θ`` (M13), ``(o, q)``."""
        priced = self.point.problem.priced
        if not 0 < self.alpha < np.inf:
            return np.zeros_like(self.theta)
        price = self.alpha * priced * self.theta.ravel()
        return -self.curvature.solver(self.alpha, PRECISE)(price).reshape(self.theta.shape)

    @cached_property
    def spectrum(self) -> tuple[Array, float]:
        """Eigenvalues of ``H_S``, descending ``(o r,)``, and ``log|H_FF|`` (M12)."""
        H = self.curvature.matrix("the eigenvalues of the curvature")
        with one_thread(len(H)):
            schur, log_free = schur_complement(H, self.point.problem.priced)
            values = np.linalg.eigvalsh(schur)[::-1] if len(schur) else np.zeros(0)
        return np.maximum(values, 0.0), log_free

    @cached_property
    def bent_down(self) -> bool:
        """Whether some direction has negative curvature, as a loss that is not convex may have."""
        if self.point.problem.response.loss.convex:
            return False
        H = self.curvature.matrix("the direction of negative curvature")
        schur, _ = schur_complement(H, self.point.problem.priced)
        if not len(schur):
            return False
        values = np.linalg.eigvalsh(schur)
        return bool(values[0] < -10 * EPS * len(values) * values[-1])


@dataclass(frozen=True, eq=False)
class Anchors:
    """All anchors, weakest first, and what lies beyond them.

    Attributes
    ----------
    between : tuple of Anchor
        With strengths in (0, ∞), ascending.
    infinite : Anchor
        The model without penalised columns.
    zero : Anchor or None
        The model without a penalty; None where it has no finite solution.
    blurred : bool
        Columns of so different scales that rounding hides the way there: much changes on it.
    """

    between: tuple[Anchor, ...]
    infinite: Anchor
    zero: Anchor | None
    blurred: bool = False

    @cached_property
    def places(self) -> Array:
        """``log α`` of those between, ``(b,)``."""
        return np.log([anchor.alpha for anchor in self.between])

    @property
    def all(self) -> tuple[Anchor, ...]:
        """With the limits: α = 0 first, if there is one, α = ∞ last."""
        return (*((self.zero,) if self.zero else ()), *self.between, self.infinite)


def descend(problem: Problem, tolerance: float) -> Anchors:
    """Solve from strong to weak, each anchor started from what the last two say of it.

    Parameters
    ----------
    problem : Problem
    tolerance : float
        Of each anchor, relative to the length of its coordinates.

    Notes
    -----
    From an anchor A to the next strength α the curvature half-way, extrapolated from two anchors, gives
    ``θ_A − (H + αE)⁻¹∇L̃_α(θ_A)``: right to third order in the spacing, without looking at a row.
    """
    infinite = _null(problem)
    found: list[Anchor] = []
    largest = _largest(infinite)
    if largest > 0:
        last = infinite
        for alpha in _strengths(largest, _spacing(problem)):
            try:
                last = _next(last, found[-2] if len(found) > 1 else None, alpha, tolerance)
            except NotConverged:  # rounding is larger than so weak a penalty
                break
            found.append(last)
            if _enough(last, infinite):
                break
    weakest = found[-1] if found else infinite
    zero = _limit(weakest, tolerance)
    blurred = zero is not None and bool(found) and _far(weakest, zero)
    return Anchors(tuple(found[::-1]), infinite, zero, blurred)


def _largest(infinite: Anchor) -> float:
    """The largest curvature that a penalised direction has, or may soon have."""
    steady = infinite.point.steady
    return max(infinite.curvature.largest, 0.0 if steady is None else steady.largest)


def _spacing(problem: Problem) -> float:
    if not problem.response.loss.smooth:
        return ROUGH
    return FINE if len(problem.design.share) * problem.dim**2 <= LITTLE else SPACING


def _strengths(largest: float, spacing: float) -> Iterator[float]:
    alpha = TOP * largest
    while alpha > FLOOR * largest:
        yield alpha
        alpha *= float(np.exp(-spacing))


def _null(problem: Problem) -> Anchor:
    """The model without penalised columns, from the mean or the median of the targets."""
    start = problem.at(np.zeros(problem.shape))
    if problem.design.rank:
        start = min([start, *_levels(problem)], key=lambda point: point.loss)
        try:
            start = solve(start, np.inf, 1e-12)
        except NotConverged as error:
            raise InputError(
                "the columns without penalty separate the rows, so that their weights grow without end at "
                "any strength: give those columns a penalty_factor above 0, or leave them out"
            ) from error
    return Anchor(np.inf, start, start.curvature)


def _levels(problem: Problem) -> Iterator[Point]:
    """Models that predict the same for every row, the offset aside."""
    design, response = problem.design, problem.response
    if not design.intercept or response.classes > 1:
        return
    shift = 0.0 if response.offset is None else float(design.share @ response.offset)
    for middle in (float(design.share @ response.y), float(np.median(response.y))):
        theta = np.zeros(problem.shape)
        with np.errstate(divide="ignore"):
            theta[0, 0] = response.loss.link(np.array([middle]))[0] - shift
        if np.isfinite(theta[0, 0]):
            yield problem.at(theta)


def _next(last: Anchor, before: Anchor | None, alpha: float, tolerance: float) -> Anchor:
    """The anchor at the next strength, and the curvature there."""
    problem = last.point.problem
    midway = ahead = last.curvature
    if before is not None:
        midway = blended([(last.curvature, 1.5), (before.curvature, -0.5)])
        ahead = blended([(last.curvature, 2.0), (before.curvature, -1.0)])
    start = last.theta - midway.solver(alpha)(last.point.slope(alpha)).reshape(problem.shape)
    point = solve(_better(problem.at(start), last.point, alpha), alpha, tolerance, ahead)
    return Anchor(alpha, point, point.curvature)


def _better(guess: Point, point: Point, alpha: float) -> Point:
    """A guess, unless it is worse than staying."""
    return guess if guess.objective(alpha) <= point.objective(alpha) else point


def _enough(anchor: Anchor, infinite: Anchor) -> bool:
    """Whether nothing more is to be seen below this strength."""
    if anchor.alpha <= BOTTOM * _smallest(anchor) and not anchor.bent_down:
        return True
    if not anchor.point.problem.whole and _price(anchor) <= LITTLE_LEFT * infinite.point.loss:
        return True
    return anchor.point.loss <= DONE * infinite.point.loss


def _price(anchor: Anchor) -> float:
    """``α‖v‖²``: about what the loss can still fall by."""
    return anchor.alpha * float(np.sum(anchor.theta[:, anchor.point.problem.design.rank :] ** 2))


def _smallest(anchor: Anchor) -> float:
    """The smallest eigenvalue that is more than rounding; without matrices that along the path.

    Where all of θ moved along one eigenvector, its tangent would be ``−α/(λ+α) θ``.
    """
    if not anchor.point.problem.whole:
        moves = float(np.linalg.norm(anchor.tangent))
        length = float(np.linalg.norm(anchor.theta[:, anchor.point.problem.design.rank :]))
        return anchor.alpha * max(0.0, length / moves - 1.0) if moves > 0 else 0.0
    values, _ = anchor.spectrum
    positive = values[values > 10 * EPS * len(values) * values.max(initial=0.0)]
    return float(positive[-1]) if len(positive) else 0.0


def _far(weakest: Anchor, zero: Anchor) -> bool:
    """Whether much lies between the weakest anchor and α = 0."""
    priced = weakest.point.problem.priced
    moved, whole = (
        np.linalg.norm(theta.ravel() * priced) for theta in (zero.theta - weakest.theta, zero.theta)
    )
    return bool(moved > FAR * whole)


def _limit(weakest: Anchor, tolerance: float) -> Anchor | None:
    """The model without a penalty, if it has a finite solution.

    Where it has none, weights run away along some direction until its curvature is gone.
    """
    point = weakest.point
    if point.problem.response.separated(point.eta):
        return None
    if not point.problem.whole and weakest.alpha > BOTTOM * _smallest(weakest):
        return None
    try:
        found = solve(point, 0.0, tolerance, weakest.curvature)
    except NotConverged:
        return None
    zero = Anchor(0.0, found, found.curvature)
    if not point.problem.whole:
        moved = (zero.theta - weakest.theta).reshape(-1, 1)
        steep = [float(np.vdot(moved, end.curvature.times(moved))) for end in (weakest, zero)]
        return zero if steep[1] >= GONE * steep[0] else None
    before, after = weakest.spectrum[0], zero.spectrum[0]
    there = before > 10 * EPS * len(before) * before.max(initial=0.0)
    return zero if np.all(after[there] >= GONE * before[there]) else None
