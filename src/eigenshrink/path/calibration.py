"""Which strength a point of a quadratic's path belongs to, by the true loss along the path (M13, M18).

On a quadratic ``w̃(t)`` is where ``L̃_t`` is least along the path: ``(∇L(w̃) + tDw̃)ᵀẇ = 0`` with
``ẇ = dw̃/d log t``. Of another loss, whose curvature changes along the path, that holds of the strength

    ``α(t) = −∇L(w̃(t))ᵀẇ / w̃(t)ᵀDẇ``,

one gradient for each t. It is as if the curvature had grown by ``α/t``: what was ``λ/(λ+t)`` is the share
that a direction keeps at the strength α.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline, PchipInterpolator, PPoly

Array = NDArray[np.float64]

SAME = 1e-9  # relative, of a strength that went through its logarithm and back
HALVES = 60  # of the logarithm of strengths, which then is exact


def _nothing() -> Array:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Places t of a path and the strengths α that they belong to; without any, each is its own.

    Monotone in between, and beyond with the ratio that they have at the end.

    Attributes
    ----------
    places : (n,)
        t > 0, ascending.
    strengths : (n,)
        ``α(t)``, ascending.
    """

    places: Array = field(default_factory=_nothing)
    strengths: Array = field(default_factory=_nothing)

    @property
    def trivial(self) -> bool:
        """Every place is its own strength."""
        return bool(np.array_equal(self.places, self.strengths))

    def place(self, strength: ArrayLike) -> Array:
        """The place t of strengths from 0 to ∞, shaped alike."""
        asked = np.asarray(strength, dtype=np.float64)
        if self.trivial:
            return asked
        held, outside = _held(asked, self.strengths)
        return np.asarray(np.exp(self._curve(np.log(held))) * outside)

    def strength(self, place: ArrayLike) -> Array:
        """α of places from 0 to ∞, shaped alike: what :meth:`place` undoes."""
        asked = np.asarray(place, dtype=np.float64)
        if self.trivial:
            return asked
        held, outside = _held(asked, self.places)
        return self._of(held) * outside

    def rate(self, strength: ArrayLike) -> Array:
        """``d log t / d log α``, shaped alike."""
        asked = np.asarray(strength, dtype=np.float64)
        if self.trivial or len(self.places) == 1:
            return np.ones(asked.shape)
        held, outside = _held(asked, self.strengths)
        return np.where(np.abs(outside - 1) < SAME, self._curve(np.log(held), 1), 1.0)

    def bend(self, strength: ArrayLike) -> Array:
        """``α/t``: as if the curvature were so many times what it is at ``w₀``; 1 at 0 and ∞."""
        asked = np.asarray(strength, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = asked / self.place(asked)
        return np.where((asked == 0) | np.isinf(asked), 1.0, found)

    def _of(self, place: Array) -> Array:
        """α of places between the first and the last one: the curve is monotone, so halves are enough."""
        wanted = np.log(place)
        low, high = (np.full(place.shape, np.log(end)) for end in self.strengths[[0, -1]])
        for _ in range(HALVES):
            middle = 0.5 * (low + high)
            below = self._curve(middle) < wanted
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        found = np.where(place == self.places[0], self.strengths[0], np.exp(high))
        return np.asarray(np.where(place == self.places[-1], self.strengths[-1], found))

    @cached_property
    def _curve(self) -> PPoly:
        """Of log t over log α: smooth, or at least monotone."""
        strengths, places = np.log(self.strengths), np.log(self.places)
        if len(places) == 1:
            strengths, places = (np.append(each, each + 1.0) for each in (strengths, places))
        smooth = CubicSpline(strengths, places)
        turns = smooth.derivative(2).roots(extrapolate=False)
        steep = smooth(np.concatenate([strengths, turns[np.isfinite(turns)]]), 1)
        return smooth if np.all(steep > 0) else PchipInterpolator(strengths, places)


def _held(asked: Array, nodes: Array) -> tuple[Array, Array]:
    """Held between the first and the last node, and by which factor that was missed."""
    held = np.clip(asked, nodes[0], nodes[-1])
    return held, asked / held
