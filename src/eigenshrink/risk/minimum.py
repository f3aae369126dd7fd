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

MOST = 4  # valleys of one curve that are narrowed
SPACING = 0.6  # of the samples, in log α
ACCURACY = 1e-9  # of log α at the optimum
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
        "none", "zero" (α → 0 is best), "infinite" (α → ∞ is best), "flat" (the curve is flat towards
        α → 0 and lowest there, so that it makes no choice between small strengths) or "trusted" (an edge
        of the strengths at which the path is believed is best; beyond it nothing is known).
    """

    alpha: Any
    value: Any
    boundary: Any

    def first(self) -> Minimum:
        """The same without the target axis."""
        return Minimum(float(self.alpha[0]), float(self.value[0]), str(self.boundary[0]))


def minimise(
    evaluate: Evaluate,
    span: tuple[float, float] | None,
    targets: int,
    flat_limit: NDArray[np.bool_],
    spacing: float = SPACING,
) -> Minimum:
    """The lowest point of each target's curve.

    Parameters
    ----------
    evaluate : Evaluate
    span : (low, high) or None
        Ends in log α between which the curve moves; None: it is constant.
    targets : int
    flat_limit : (t,) of bool
        The limit α → 0 is finite and flat.
    spacing : float
        Of the samples, in log α: less where a curve is no sum of shares.
    """
    low, high = span or (0.0, 0.0)
    nodes = np.linspace(low, high, int(np.ceil((high - low) / spacing)) + 1)
    alphas = np.concatenate([[0.0], np.exp(nodes), [np.inf]])[:, None]
    values, slopes = evaluate(alphas, slopes=True)
    values, slopes = (np.broadcast_to(part, (len(alphas), targets)) for part in (values, slopes))
    limits = _comparable(values[[0, -1]])
    if span is None:
        return Minimum(np.zeros(targets), limits[0], np.full(targets, "flat"))
    ends = _valleys(nodes, _comparable(values[1:-1]), _comparable(slopes[1:-1], 0.0))
    place, depth = _narrow(evaluate, *ends)
    lowest = np.argmin(_comparable(values[1:-1]), axis=0)[None]  # at an end it lies in no valley
    place = np.vstack([place, nodes[lowest]])
    depth = np.vstack([depth, np.take_along_axis(_comparable(values[1:-1]), lowest, 0)])
    best = np.argmin(depth, axis=0)
    alpha = np.exp(np.take_along_axis(place, best[None], 0)[0])
    value = np.take_along_axis(depth, best[None], 0)[0]
    boundary = np.full(targets, "none", dtype="<U8")
    for limit, end, name in (
        (limits[0], 0.0, np.where(flat_limit, "flat", "zero")),
        (limits[1], np.inf, "infinite"),
    ):
        better = (limit <= value) | (limit <= value + TIE * np.abs(np.where(np.isfinite(value), value, 0.0)))
        alpha, value = np.where(better, end, alpha), np.where(better, limit, value)
        boundary = np.where(better, name, boundary)
    return Minimum(alpha, value, boundary)


@dataclass
class _Ends:
    """One end of a bracket per valley and target, ``(c, t)`` each."""

    place: Array
    value: Array
    slope: Array

    def replace(self, where: NDArray[np.bool_], place: Array, value: Array, slope: Array) -> None:
        self.place = np.where(where, place, self.place)
        self.value = np.where(where, value, self.value)
        self.slope = np.where(where, slope, self.slope)


def _valleys(nodes: Array, values: Array, slopes: Array) -> tuple[_Ends, _Ends]:
    """Both ends of the lowest valleys of each target: the slope turns from down to up between them.

    All valleys up to MOST, by what a cubic says of their depth: the ends of a narrow one lie high above it.
    Where there is no (further) valley both ends are the lowest node, which nothing can narrow.
    """
    turns = (slopes[:-1] < 0) & (slopes[1:] >= 0)
    width = nodes[1:, None] - nodes[:-1, None]
    depth = np.minimum(values[:-1], values[1:]) - 0.25 * width * np.minimum(-slopes[:-1], slopes[1:])
    height = np.where(turns, depth, np.inf)
    most = int(np.clip(turns.sum(axis=0).max(initial=0), 1, MOST))
    left = np.argsort(height, axis=0, kind="stable")[:most]
    found = np.take_along_axis(turns, left, 0)
    left = np.where(found, left, np.argmin(values, axis=0))
    ends = [
        _Ends(nodes[at], np.take_along_axis(values, at, 0), np.take_along_axis(slopes, at, 0))
        for at in (left, left + found)
    ]
    return ends[0], ends[1]


def _narrow(evaluate: Evaluate, left: _Ends, right: _Ends) -> tuple[Array, Array]:
    """Lowest place of each bracket and the value there: two cubic steps, then secants.

    Each step costs one evaluation of the curve; four are usual. A step that would leave its bracket
    halves it instead.
    """
    last, last_slope = left.place, left.slope
    place, slope, value = left.place, left.slope, left.value
    done = right.place - left.place < ACCURACY
    for step in range(60):
        if np.all(done):
            break
        guess = _cubic(left, right) if step < 2 else _secant(place, slope, last, last_slope)
        inside = (guess > left.place) & (guess < right.place)
        moved = np.where(inside, guess, 0.5 * (left.place + right.place))
        last, last_slope, place = place, slope, np.where(done, place, moved)
        value, slope = evaluate(np.exp(place), slopes=True)
        slope = _comparable(slope, 0.0)
        left.replace(slope <= 0, place, value, slope)
        right.replace(slope >= 0, place, value, slope)
        done |= (np.abs(place - last) < ACCURACY) | (right.place - left.place < ACCURACY)
    return place, _comparable(value)


def _cubic(left: _Ends, right: _Ends) -> Array:
    """Minimum of the cubic through values and slopes at both ends."""
    width = right.place - left.place
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.maximum(np.abs(left.slope), np.abs(right.slope))
        down, up = left.slope / size, right.slope / size
        mid = 3 * ((left.value - right.value) / size / width) + down + up
        root = np.sqrt(np.maximum(mid**2 - down * up, 0.0))
        return np.asarray(right.place - width * (up + root - mid) / (up - down + 2 * root))


def _secant(place: Array, slope: Array, last: Array, last_slope: Array) -> Array:
    """Zero of the line through the last two slopes."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(place - (place - last) / (1.0 - last_slope / slope))


def _comparable(values: Array, otherwise: float = np.inf) -> Array:
    """NaN (nothing can be said) replaced: as a value it is infinitely bad, as a slope flat."""
    if otherwise == 0.0:
        return np.where(np.isfinite(values), values, 0.0)
    return np.where(np.isnan(values), otherwise, values)
