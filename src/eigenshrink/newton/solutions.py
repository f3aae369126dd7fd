"""Solutions at any strength in [0, ∞], those that were asked for before remembered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.newton.anchors import Anchor, Anchors
from eigenshrink.newton.between import Solved, left_out, solve_many
from eigenshrink.newton.problem import Problem

Array = NDArray[np.float64]

NOISY = 16.0  # times its usual rounding that a gradient is given
REMEMBERED = 1 << 23  # coordinates of solved strengths that are kept


@dataclass(frozen=True, eq=False)
class Solutions:
    """What was solved of a problem.

    Attributes
    ----------
    problem : Problem
    anchors : Anchors
    tolerance : float
        As in :func:`eigenshrink.newton.between.solve_many`.
    """

    problem: Problem
    anchors: Anchors
    tolerance: float
    _kept: dict[float, tuple[Any, ...]] = field(default_factory=dict)

    def at(self, flat: Array) -> Solved:
        """Solve for strengths ``(a,)`` that have a solution."""
        missing = [value for value in np.unique(flat).tolist() if value not in self._kept]
        inside = [value for value in missing if self._limit(value) is None]
        for value in missing:
            anchor = self._limit(value)
            if anchor is not None:
                self._kept[value] = _solved(anchor)
        found = solve_many(self.problem, self.anchors, np.array(inside), self.tolerance)
        rows = zip(found.theta, found.residual, found.length, found.loss, strict=True)
        self._kept.update(zip(inside, rows, strict=True))
        each = [self._kept[value] for value in flat.tolist()]
        while len(self._kept) * self.problem.dim > REMEMBERED:
            self._kept.pop(next(iter(self._kept)))
        thetas = np.reshape([row[0] for row in each], (len(flat), *self.problem.shape))
        return Solved(thetas, *(np.array([row[j] for row in each], dtype=np.float64) for j in (1, 2, 3)))

    def kept_from(self) -> float:
        """The weakest strength from which on every anchor keeps the tolerance; inf: not even the last.

        Below the anchors the rounding of a gradient stays as it is, and the price of the weights falls.
        """
        some = self.anchors.between
        alphas, eta = np.array([anchor.alpha for anchor in some]), some[0].point.eta[:, :, None]
        noise = NOISY * float(self.problem.rounding(eta)[0]) * self.problem.noise
        noise += float(np.max(left_out(self.problem, eta)))
        solved = self.at(alphas)
        price = self.tolerance * solved.length
        lost = np.flatnonzero(np.maximum(solved.residual, noise) > price * alphas)
        if len(lost):
            return float(np.append(alphas, np.inf)[lost[-1] + 1])
        return noise / float(price[0]) if price[0] > 0 else 0.0

    def _limit(self, alpha: float) -> Anchor | None:
        """The limit that a strength is, if it is one."""
        if np.isinf(alpha) or not self.anchors.between:
            return self.anchors.infinite
        return self.anchors.zero if alpha == 0 else None


def _solved(anchor: Anchor) -> tuple[Any, ...]:
    v = anchor.theta.ravel() * anchor.point.problem.priced
    residual = float(np.linalg.norm(anchor.point.slope(anchor.alpha))) + anchor.point.noise(anchor.alpha)
    return anchor.theta, residual, float(np.linalg.norm(v)), anchor.point.loss
