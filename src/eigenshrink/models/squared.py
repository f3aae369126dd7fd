"""The squared loss, ``ℓ = ½(y − η)²``: half the unit deviance of a normal response.

Its curvature is one everywhere, so that the quadratic of M4 is exact and rows may be weighted by ``√s``
on both sides before it is taken.
"""

from __future__ import annotations

import numpy as np

from eigenshrink.models.common import anything, spread
from eigenshrink.models.loss import Array, Loss


def _value(y: Array, eta: Array) -> Array:
    return 0.5 * (y - eta) ** 2


def _slope(y: Array, eta: Array) -> Array:
    return eta - y


def _curvature(y: Array, eta: Array) -> Array:
    return spread(_variance(eta), y)


def _same(eta: Array) -> Array:
    return eta


def _variance(mean: Array) -> Array:
    return np.ones(np.shape(mean))


SQUARED = Loss(
    name="squared",
    convex=True,
    value=_value,
    slope=_slope,
    curvature=_curvature,
    mean=_same,
    link=_same,
    variance=_variance,
    known_dispersion=False,
    unit="half mean squared error",
    check=anything,
)
