"""The lowest point of a curve on [0, ∞]: continuous, for many targets at once, ends included.

A curve of shares ``λ/(λ+α)`` is analytic in log α in a strip of half-width π, so that samples 0.6 apart
show every valley it can have; each valley is then narrowed by the sign of the analytic slope. The two
limits are evaluated themselves, never a last grid point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SPACING = 0.6  # of the samples, in log α
MARGIN = 1e6  # how far beyond the eigenvalues a curve is followed before its limit takes over
ACCURACY = 1e-10  # of log α at the optimum
TIE = 1e-12  # relative difference below which the limit is taken instead


class Evaluate(Protocol):
    """Values and slopes of every target at every strength."""

    def __call__(self, alphas: Array, slopes: bool) -> tuple[Array, Array]:
        """From strengths ``(m, 1)``, the same for all targets, or ``(m, t)``, to values ``(m, t)``.

        Slopes are ``dR/d log α``, NaN where they were not asked for.
        """
        ...


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where a curve is lowest.

    Attributes
    ----------
    alpha : float or (t,)
        In [0, inf].
    value : float or (t,)
        The curve there.
    boundary : str or (t,) of str
        "none", "zero" (α → 0 is best), "infinite" (α → ∞ is best) or "flat" (the curve is flat towards
        α → 0 and lowest there, so that it makes no choice between small strengths).
    """

    alpha: Any
    value: Any
    boundary: Any

    def first(self) -> Minimum:
        """The same without the target axis."""
        return Minimum(float(self.alpha[0]), float(self.value[0]), str(self.boundary[0]))


def minimise(
    evaluate: Evaluate,
    eigenvalues: Array,
    targets: int,
    flat_limit: bool,
) -> Minimum:
    """The lowest point of each target's curve.

    Parameters
    ----------
    evaluate : Evaluate
    eigenvalues : (k,), > 0
        The curve moves within a few decades of them.
    targets : int
    flat_limit : bool
        The limit α → 0 is finite and flat.
    """
    ends = np.array([[0.0], [np.inf]])
    limits = _comparable(np.broadcast_to(evaluate(ends, slopes=False)[0], (2, targets)))
    if not len(eigenvalues):
        return Minimum(np.zeros(targets), limits[0], np.full(targets, "flat"))
    low, high = np.log(eigenvalues.min() / MARGIN), np.log(eigenvalues.max() * MARGIN)
    nodes = np.linspace(low, high, int(np.ceil((high - low) / SPACING)) + 1)
    values = _comparable(evaluate(np.exp(nodes)[:, None], slopes=False)[0])
    lower, upper = _valleys(nodes, values)
    place = _narrow(evaluate, lower, upper)
    depth = _comparable(evaluate(np.exp(place), slopes=False)[0])
    best = np.argmin(depth, axis=0)
    alpha = np.exp(np.take_along_axis(place, best[None], 0)[0])
    value = np.take_along_axis(depth, best[None], 0)[0]
    boundary = np.full(targets, "none", dtype="<U8")
    for limit, end, name in (
        (limits[0], 0.0, "flat" if flat_limit else "zero"),
        (limits[1], np.inf, "infinite"),
    ):
        better = (limit <= value) | (limit <= value + TIE * np.abs(np.where(np.isfinite(value), value, 0.0)))
        alpha, value = np.where(better, end, alpha), np.where(better, limit, value)
        boundary = np.where(better, name, boundary)
    return Minimum(alpha, value, boundary)


def _valleys(nodes: Array, values: Array) -> tuple[Array, Array]:
    """Brackets of the two lowest valleys of each target, ``(2, t)`` each, in log α."""
    padded = np.pad(values, ((1, 1), (0, 0)), constant_values=np.inf)
    is_valley = (values <= padded[:-2]) & (values <= padded[2:])
    lowest = np.argsort(np.where(is_valley, values, np.inf), axis=0, kind="stable")[:2]
    second = np.take_along_axis(is_valley, lowest[1:], axis=0)[0]
    lowest[1] = np.where(second, lowest[1], lowest[0])
    if np.array_equal(lowest[0], lowest[1]):
        lowest = lowest[:1]
    last = len(nodes) - 1
    return nodes[np.maximum(lowest - 1, 0)], nodes[np.minimum(lowest + 1, last)]


def _narrow(evaluate: Evaluate, lower: Array, upper: Array) -> Array:
    """Zero of the slope in each bracket: false position with Illinois weights, then bisection."""
    a, b = lower.copy(), upper.copy()
    slope_a, slope_b = _slopes(evaluate, a), _slopes(evaluate, b)
    place = 0.5 * (a + b)
    for step in range(80):
        with np.errstate(divide="ignore", invalid="ignore"):
            guess = b - slope_b * (b - a) / (slope_b - slope_a)
        usable = (guess > a) & (guess < b) & (step % 6 != 5)
        place = np.where(usable, guess, 0.5 * (a + b))
        slope = _slopes(evaluate, place)
        right = slope > 0
        slope_b = np.where(right, slope, np.where(slope_b > 0, 0.5 * slope_b, slope_b))
        slope_a = np.where(right, np.where(slope_a < 0, 0.5 * slope_a, slope_a), slope)
        moved = np.where(right, b - place, place - a)
        a, b = np.where(right, a, place), np.where(right, place, b)
        if np.all((b - a < ACCURACY) | (slope == 0) | (moved < ACCURACY)):
            break
    return place


def _slopes(evaluate: Evaluate, place: Array) -> Array:
    _, slopes = evaluate(np.exp(place), slopes=True)
    return np.where(np.isfinite(slopes), slopes, 0.0)


def _comparable(values: Array) -> Array:
    """NaN (nothing can be said) counts as infinitely bad."""
    return np.where(np.isnan(values), np.inf, values)
