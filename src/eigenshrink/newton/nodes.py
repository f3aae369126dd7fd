"""What is known at the anchors, between them and on to both limits: one weight for each anchor (M17)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline, make_interp_spline

from eigenshrink.newton.anchors import Anchors

Array = NDArray[np.float64]

DEGREE = 5


@dataclass(frozen=True, eq=False)
class Nodes:
    """Interpolation in log α as weights of the anchors, in the order of ``anchors.all``.

    Between anchors: a spline of degree five. Beyond them a quantity nears its limit with α or with 1/α, by a
    parabola through the limit and the last two anchors; where α = 0 has no solution, or one far away, it
    stays as it is at the weakest anchor.
    """

    anchors: Anchors

    @cached_property
    def _cardinal(self) -> BSpline:
        """One spline for each anchor in between: 1 there and 0 at the others."""
        places = self.anchors.places
        degree = min(DEGREE, (len(places) - 1) // 2 * 2 + (len(places) - 1) % 2)
        return make_interp_spline(places, np.eye(len(places)), k=degree)

    def weights(self, alphas: Array) -> tuple[Array, Array]:
        """Weights ``(m, K)`` for strengths ``(m,)`` in [0, ∞], and their slopes in log α."""
        count = len(self.anchors.all)
        total, slope = np.zeros((len(alphas), count)), np.zeros((len(alphas), count))
        if not self.anchors.between:
            total[:, -1] = 1.0
            return total, slope
        places, first = self.anchors.places, count - 1 - len(self.anchors.between)
        with np.errstate(divide="ignore"):
            place = np.log(alphas)
        inside = np.clip(place, places[0], places[-1])
        middle = slice(first, count - 1)
        total[:, middle] = self._cardinal(inside)
        slope[:, middle] = self._cardinal.derivative()(inside) if len(places) > 1 else 0.0
        above, below = place > places[-1], place < places[0]
        slope[above | below] = 0.0
        own = np.arange(first, count - 1)
        ends = [count - 1, *own[::-1][:2]], np.exp(places[-1] - places[::-1][:2])
        _near(total, slope, above, np.exp(places[-1] - place[above]), ends, -1.0)
        if self.anchors.zero is not None and self.anchors.blurred:
            total[alphas == 0], total[alphas == 0, 0] = 0.0, 1.0
        elif self.anchors.zero is not None:
            ends = [0, *own[:2]], np.exp(places[:2] - places[0])
            _near(total, slope, below, np.exp(place[below] - places[0]), ends, 1.0)
        return total, slope


def _near(
    total: Array,
    slope: Array,
    some: NDArray[np.bool_],
    share: Array,
    ends: tuple[list[int], Array],
    way: float,
) -> None:
    """Weights between the last anchors and a limit, in place: a parabola in the share of what is left.

    ``ends`` are the places of the limit and of the last one or two anchors, and their shares (the limit: 0).
    """
    columns, known = ends
    nodes = np.concatenate([[0.0], known])
    total[some] = 0.0
    for j, column in enumerate(columns):
        others = np.delete(nodes, j)
        size = np.prod(nodes[j] - others)
        total[some, column] = np.prod(share[:, None] - others, axis=1) / size
        steep = sum(np.prod(share[:, None] - np.delete(others, k), axis=1) for k in range(len(others)))
        slope[some, column] = way * share * steep / size
