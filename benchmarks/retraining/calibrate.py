"""Which strength a point of the path belongs to, by the slope of the true loss along the path.

On a quadratic ``w̃(t)`` is where ``L̃_t`` is least along the path, so that ``∇L(w̃(t))ᵀẇ + t w̃ᵀDẇ = 0``. Of
any other loss the strength for which that holds is ``α(t) = −∇L(w̃(t))ᵀẇ / w̃ᵀDẇ``: one gradient for each t.
What is left of the gradient there, ``r = ∇L̃_α(w̃(t))``, says how far the path is from the way that the weights
would go: a Newton step would gain ``½ rᵀ(H + αD)⁻¹r``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEP, FARTHEST = 1 / 16, 3.0  # in decades of t
BEND = 5.0  # α/t beyond which nothing is looked for
STEADY = 1.5  # α/t up to which the path is believed,
LEFT = 0.05  # as long as a Newton step would gain no more than this share of L
FLOOR = 1e-12  # of the curvature, where a weight is neither penalised nor curved


@dataclass(frozen=True)
class Calibrated:
    """A path with another scale.

    ``places``: t, ascending. ``strengths``: what they belong to. ``left``: what a Newton step would still
    gain there, relative to L.
    """

    path: Any
    places: Array
    strengths: Array
    left: Array

    def weights(self, alpha: float) -> Array | None:
        """``w̃(t)`` with ``α(t) = alpha``; None beyond what was looked at."""
        if not self.strengths[0] <= alpha <= self.strengths[-1]:
            return None
        place = np.exp(np.interp(np.log(alpha), np.log(self.strengths), np.log(self.places)))
        found: Array = self.path.weights(float(place))
        return found

    @property
    def steady(self) -> tuple[float, float]:
        """Strengths around α₀ up to which α and t are about the same and a Newton step would gain little."""
        good = (np.abs(np.log(self.strengths / self.places)) <= np.log(STEADY)) & (self.left <= LEFT)
        start = int(np.argmin(np.abs(np.log(self.strengths / self.path.fit.alpha))))
        bad = np.flatnonzero(~good)
        first = int(bad[bad < start].max(initial=-1)) + 1
        last = int(bad[bad > start].min(initial=len(good))) - 1
        return float(self.strengths[first]), float(self.strengths[last])


def calibrate(path: Any, gradient: Callable[[Array], tuple[float, Array]], alpha: float) -> Calibrated:
    """Walk along the path from α₀ on both sides while the strength rises with t."""
    factor, H = path.fit.penalty_factor, path.fit.curvature.dense
    floor = FLOOR * np.trace(H)

    def look(place: float) -> tuple[float, float, float]:
        weights, along = path.weights(place), path.slope(place)
        loss, slope = gradient(weights)
        strength = -float(slope @ along) / float((factor * weights) @ along)
        rest = slope + strength * factor * weights
        step = np.linalg.solve(H + np.diag(max(strength, 0.0) * factor + floor), rest)
        return place, strength, 0.5 * float(rest @ step) / loss

    def walk(sign: int) -> Iterator[tuple[float, float, float]]:
        before = look(alpha)[1]
        for step in range(1, round(FARTHEST / STEP)):
            place = alpha * 10 ** (sign * step * STEP)
            if place <= path.quadratic.trusted[0]:
                return
            found = look(place)
            now = found[1]
            if not (sign * (now - before) > 0 and now > 0 and 1 / BEND < now / place < BEND):
                return
            before = now
            yield found

    both = [*reversed(list(walk(-1))), look(alpha), *walk(1)]
    return Calibrated(path, *np.array(both).T)
