"""How far a path holds, measured: true losses and their slopes at w̃, outwards from α₀ (M18).

Where the loss is no quadratic each place of the path belongs to a strength of its own, by the slope of the
true loss along the path (:mod:`~eigenshrink.path.calibration`). A place is trusted where

- the true change of L is as predicted, to a tolerance or to its noise (M18),
- that strength is about the quadratic's own, so that the curvature is about the one at ``w₀``, and rises
  with it from place to place, and
- what is left of the gradient there is small: a Newton step would gain next to nothing, so that the path has
  not left the way that the weights would go.

The first alone does not bound the error on rows that were not trained on: it allowed 16 % for a logistic
regression, and saw nothing of a transformer whose weights leave the path sideways.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigenshrink.path.calibration import SAME, Calibration
from eigenshrink.path.measured import Measured, RowLosses
from eigenshrink.path.solve import System

if TYPE_CHECKING:
    from eigenshrink.path.krylov import KrylovPath

Array = NDArray[np.float64]

STEP = 0.25 * np.log(10.0)  # of the places that are measured, in log t: four per decade
HALVINGS = 3  # of the step in which the prediction fails
FARTHEST = 1e8  # times less than the largest curvature is not looked at
ROUNDING = 1e-6  # relative, of a loss: a fit at its minimum changes nothing at α₀, as far as can be seen
INACCURATE = 1e-2  # relative error of w̃ from which it is not worth measuring
STEADY = 1.5  # factor between α and t up to which the curvature is taken for that of w₀
LEFT = 0.05  # share of L that a Newton step may still gain
RISE = 0.25  # of log α for each log t: where it rises no more, no strength has its least loss along the path
NUMBERS = ("predicted", "change", "noise", "places", "bend", "left")  # of each place


def calibrated(path: KrylovPath) -> KrylovPath:
    """The same path with its true losses, by the strengths that its places belong to.

    Where it is trusted, and beyond with the ratio at the ends. A loss that was measured already, as of a path
    that was read from a file, is not measured again.
    """
    found = path.measured or (None if path.measure is None else measure_along(path))
    if found is None:
        return path
    own = replace(path, measured=replace(found, alphas=found.places))
    picked = _trusted_places(own)
    if not len(picked):
        return own
    calibration = Calibration(found.places[picked], (found.places * found.bend)[picked])
    alphas = calibration.strength(found.places)
    return replace(own, measured=replace(found, alphas=alphas), calibration=calibration)


def measure_along(path: KrylovPath) -> Measured | None:
    """True losses from α₀ outwards, until the path is no longer trusted on either side.

    Cost: a pass and a gradient over the training rows and one gradient over those that judge for each
    place, about four per decade that holds and four more at each edge.
    """
    assert path.measure is not None
    ends = _ends(path)
    if ends is None:
        return None
    low, start, high = ends
    walk = _Walk(path, start, path.measure.train(path.fit.weights[:, 0]))
    if walk.holds(start):
        walk.outwards(start, high, STEP)
        walk.outwards(start, low, -STEP)
    return walk.measured()


def holds_at_start(path: KrylovPath) -> bool:
    """Whether the path holds at ``α₀``, or at the weakest strength: the way there is from ``w₀`` to w̃."""
    ends = _ends(path)
    if ends is None or path.measure is None:
        return True
    return _Walk(path, ends[1], path.measure.train(path.fit.weights[:, 0])).holds(ends[1], judged=False)


def trusted_range(path: KrylovPath) -> tuple[float, float]:
    """The largest interval around α₀ in which every place that was measured holds (M18), by the quadratic.

    Without true losses: all strengths for which ``H + αD`` is positive.
    """
    least = path.quadratic.trusted[0]
    ends, found = _ends(path), path.measured
    if ends is None or found is None:
        return least, float("inf")
    picked = _trusted_places(path)
    if not len(picked):
        return path.fit.alpha, path.fit.alpha
    low, _, high = ends
    bottom, top = float(found.places[picked[0]]), float(found.places[picked[-1]])
    reached = np.log(bottom) <= low + 1e-9, np.log(top) >= high - 1e-9
    if (path.fit.alpha == 0.0 or (reached[0] and least == 0.0)) and _ends_at_zero(path):
        bottom = 0.0
    alpha = path.fit.alpha if path.fit.alpha > 0 else bottom
    bottom, top = (alpha if abs(end - alpha) <= SAME * alpha else end for end in (bottom, top))
    return min(bottom, alpha), float("inf") if reached[1] else max(top, alpha)


def _trusted_places(path: KrylovPath) -> NDArray[np.intp]:
    """Which of the places that were measured are trusted: those around α₀, without a gap."""
    ends, found = _ends(path), path.measured
    if ends is None or found is None or not len(found.places):
        return np.zeros(0, dtype=np.intp)
    return connected(found, ends[1], path.tolerance)


def connected(found: Measured, start: float, tolerance: float) -> NDArray[np.intp]:
    """Places that hold around the one at ``start``, a log t: without a gap, and with strengths that rise."""
    good = holding(found, tolerance)
    first = last = int(np.argmin(np.abs(np.log(found.places) - start)))
    if not good[first]:
        return np.zeros(0, dtype=np.intp)
    with np.errstate(divide="ignore", invalid="ignore"):
        rises = np.diff(np.log(found.places * found.bend)) >= RISE * np.diff(np.log(found.places))
    linked = good[1:] & good[:-1] & rises
    while first > 0 and linked[first - 1]:
        first -= 1
    while last < len(linked) and linked[last]:
        last += 1
    return np.arange(first, last + 1)


def holding(found: Measured, tolerance: float) -> NDArray[np.bool_]:
    """Which places hold by themselves, ``(a,)``."""
    likely = np.abs(found.change - found.predicted) <= np.maximum(
        tolerance * np.abs(found.predicted), found.noise
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        steady = np.abs(np.log(found.bend)) <= np.log(STEADY)
    return np.asarray(likely & steady & (found.left <= LEFT))


def _ends_at_zero(path: KrylovPath) -> bool:
    """Whether the path has a limit as α → 0: along no flat direction the loss falls without end (M6)."""
    flat = path.spectrum.eigenvalues == 0
    return not bool(np.any(path.spectrum.numerators[flat] != 0))


def _ends(path: KrylovPath) -> tuple[float, float, float] | None:
    """Where to look in log α: the lowest strength, the one to start from, the highest."""
    span, least = path.quadratic.span or _around_start(path), path.quadratic.trusted[0]
    if span is None:
        return None
    top = span[1] + np.log(100.0)
    farthest = span[1] - np.log(FARTHEST)
    if path.fit.alpha > 0:  # a strength is never believed because nothing was looked at below α₀
        farthest = min(farthest, np.log(path.fit.alpha) - np.log(100.0))
    bottom = max(span[0] - np.log(100.0), farthest)
    start = float(np.log(path.fit.alpha)) if path.fit.alpha > 0 else bottom
    if least > 0:
        bottom = max(bottom, np.log(least * (1 + 1e-3)))
    return min(bottom, start), start, max(top, start)


def _around_start(path: KrylovPath) -> tuple[float, float] | None:
    """Without curvature, as that of an absolute error, the weights move all the same: ``w̃ = −g/α``."""
    if not len(path.spectrum.eigenvalues):
        return None
    gradient, weights = path.fit.gradient, path.fit.weights
    alpha = path.fit.alpha or float(np.linalg.norm(gradient)) / max(float(np.linalg.norm(weights)), 1e-300)
    return (float(np.log(alpha)),) * 2 if alpha > 0 else None


@dataclass
class _Walk:
    """Strengths that were measured, as they come."""

    path: KrylovPath
    start: float
    before: RowLosses
    seen: dict[float, dict[str, float | Array]] = field(default_factory=dict)
    judges: Array | None = None

    def outwards(self, start: float, end: float, step: float) -> None:
        """Measure from ``start`` on until the quadratic fails, then halve the last step; ends included."""
        good = start
        count = int(np.ceil((end - start) / step - 1e-9))
        for j in range(1, count + 1):
            place = end if j == count else start + j * step
            if not self.holds(place):
                self._narrow(good, place)
                return
            good = place

    def _narrow(self, good: float, bad: float) -> None:
        for _ in range(HALVINGS):
            middle = 0.5 * (good + bad)
            good, bad = (middle, bad) if self.holds(middle) else (good, middle)

    def holds(self, place: float, judged: bool = True) -> bool:
        """Measure one place; whether the path holds from the start to there."""
        path, at = self.path, float(np.exp(place))
        if at not in self.seen:
            size = float(path.norm(at))
            if not float(path.residual_bound(at)) <= INACCURATE * max(size, 1e-300):
                return False
            self.seen[at] = self._measure(at, judged)
        found = self.measured()
        return at in found.places[connected(found, self.start, path.tolerance)]

    @np.errstate(invalid="ignore", over="ignore")  # far away a loss may be infinite: then nothing is trusted
    def _measure(self, at: float, judged: bool) -> dict[str, float | Array]:
        path, measure = self.path, self.path.measure
        assert measure is not None
        weights, along = np.asarray(path.weights(at), dtype=np.float64), path.slope(at)
        now = measure.train(weights)
        bend, left = self._place(at, weights, along, now.size)
        found: dict[str, float | Array] = {
            "predicted": float(path.predicted_change(at)),
            "change": now.mean - self.before.mean,
            "noise": max(now.noise(self.before), ROUNDING * self.before.size),
            "places": at,
            "bend": bend,
            "left": left,
        }
        if judged and measure.judges:
            rows = measure.validation(weights)
            found["validation"] = rows.values
            self.judges = rows.weights
            if rows.wrong is not None:
                found["wrong"] = rows.wrong
            found["validation_slope"] = float(measure.validation_gradient(weights) @ along)
        return found

    def _place(self, at: float, weights: Array, along: Array, scale: float) -> tuple[float, float]:
        """``α(t)/t`` and what is left there to gain, relative to the size of L, the scale.

        ``α/t = 1 + e/k`` with the slope that is left along the path, ``e = (∇L + tDw̃)ᵀẇ``, and its curvature
        ``k = −t w̃ᵀDẇ``. An e that would change L by no more than its rounding counts for nothing.
        """
        path, factor = self.path, self.path.fit.penalty_factor
        assert path.measure is not None
        slope = path.measure.train_gradient(weights) - path.unsettled
        pull = factor * weights
        left, curved = float((slope + at * pull) @ along), -at * float(pull @ along)
        bend = 1.0
        if curved > 0 and left != 0:
            gain = 0.5 * left**2 / curved
            bend += left / curved * gain / (gain + ROUNDING * scale)
        strength = bend * at
        if not (strength > 0 and np.isfinite(slope).all()):
            return bend, float("inf")
        gained = System(path, strength).gain(slope + strength * pull)
        return bend, gained / max(scale, 1e-300)

    def measured(self) -> Measured:
        """What was found, ascending."""
        each = [self.seen[place] for place in sorted(self.seen)]
        names = {name for one in each for name in one} - set(NUMBERS)
        numbers = {name: np.array([one[name] for one in each], dtype=np.float64) for name in NUMBERS}
        rest = {name: np.array([one[name] for one in each]) for name in names}
        return Measured(alphas=numbers["places"], **numbers, **rest, judges=self.judges)
