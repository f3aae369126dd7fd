"""How far a quadratic holds, measured: true losses at w̃(α), outwards from α₀ until they differ (M18)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigenshrink.path.measured import Measured, RowLosses

if TYPE_CHECKING:
    from eigenshrink.path.krylov import KrylovPath

Array = NDArray[np.float64]

STEP = 0.25 * np.log(10.0)  # of the strengths that are measured, in log α: four per decade
HALVINGS = 3  # of the step in which the prediction fails
FARTHEST = 1e8  # times less than the largest curvature is not looked at
ROUNDING = 1e-6  # relative, of a loss: a fit at its minimum changes nothing at α₀, as far as can be seen
INACCURATE = 1e-2  # relative error of w̃ from which it is not worth measuring


def measure_along(path: KrylovPath) -> Measured | None:
    """True losses from α₀ outwards, until the quadratic fails on either side.

    Cost: a pass over the training rows and one gradient over those that judge for each strength, about
    four strengths per decade that holds and four more at each edge.
    """
    assert path.measure is not None
    ends = _ends(path)
    if ends is None:
        return None
    walk = _Walk(path, path.measure.train(path.fit.weights[:, 0]))
    low, start, high = ends
    if walk.holds(start):
        walk.outwards(start, high, STEP)
        walk.outwards(start, low, -STEP)
    return walk.measured()


def holds_at_start(path: KrylovPath) -> bool:
    """Whether L changes as predicted on the way from ``w₀`` to w̃ at ``α₀``, or the weakest strength."""
    ends = _ends(path)
    if ends is None or path.measure is None:
        return True
    return _Walk(path, path.measure.train(path.fit.weights[:, 0])).holds(ends[1], judged=False)


def trusted_range(path: KrylovPath) -> tuple[float, float]:
    """The largest interval around α₀ in which every measured change of L is as predicted (M18).

    Without true losses: all strengths for which ``H + αD`` is positive.
    """
    least = path.quadratic.trusted[0]
    ends, found = _ends(path), path.measured
    if ends is None or found is None:
        return least, float("inf")
    if not len(found.alphas):  # not even w̃(α₀) is accurate
        return path.fit.alpha, path.fit.alpha
    low, start, high = ends
    good = np.abs(found.change - found.predicted) <= np.maximum(
        path.tolerance * np.abs(found.predicted), found.noise
    )
    place = int(np.argmin(np.abs(np.log(found.alphas) - start)))
    if not good[place]:
        return path.fit.alpha, path.fit.alpha
    bad = np.flatnonzero(~good)
    first = int(bad[bad < place].max(initial=-1)) + 1
    last = int(bad[bad > place].min(initial=len(good))) - 1
    bottom, top = float(found.alphas[first]), float(found.alphas[last])
    reached = np.log(bottom) <= low + 1e-9, np.log(top) >= high - 1e-9
    if (path.fit.alpha == 0.0 or (reached[0] and least == 0.0)) and _ends_at_zero(path):
        bottom = 0.0
    alpha = path.fit.alpha if path.fit.alpha > 0 else bottom  # exp(log α₀) is only nearly α₀
    return min(bottom, alpha), float("inf") if reached[1] else max(top, alpha)


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
        """Measure one strength; whether the prediction holds there (M18)."""
        path, alpha = self.path, float(np.exp(place))
        if alpha not in self.seen:
            size = float(path.norm(alpha))
            if not float(path.residual_bound(alpha)) <= INACCURATE * max(size, 1e-300):
                return False
            self.seen[alpha] = self._measure(alpha, judged)
        found = self.seen[alpha]
        apart = abs(float(found["change"]) - float(found["predicted"]))
        return bool(apart <= max(path.tolerance * abs(float(found["predicted"])), float(found["noise"])))

    def _measure(self, alpha: float, judged: bool) -> dict[str, float | Array]:
        path, measure = self.path, self.path.measure
        assert measure is not None
        weights = np.asarray(path.weights(alpha), dtype=np.float64)
        now = measure.train(weights)
        found: dict[str, float | Array] = {
            "predicted": float(path.predicted_change(alpha)),
            "change": now.mean - self.before.mean,
            "noise": max(now.noise(self.before), ROUNDING * abs(self.before.mean)),
        }
        if judged and measure.judges:
            rows = measure.validation(weights)
            found["validation"] = rows.values
            self.judges = rows.weights
            if rows.wrong is not None:
                found["wrong"] = rows.wrong
            found["slope"] = float(measure.validation_gradient(weights) @ path.slope(alpha))
        return found

    def measured(self) -> Measured:
        """What was found, ascending."""
        order = sorted(self.seen)
        each = [self.seen[alpha] for alpha in order]

        def gathered(name: str) -> Array | None:
            return np.array([one[name] for one in each]) if each and name in each[0] else None

        numbers = {name: np.array([one[name] for one in each]) for name in ("predicted", "change", "noise")}
        return Measured(
            np.array(order),
            **numbers,
            validation=gathered("validation"),
            validation_slope=gathered("slope"),
            judges=self.judges,
            wrong=gathered("wrong"),
        )
