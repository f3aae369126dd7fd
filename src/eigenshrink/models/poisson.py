"""The Poisson loss of counts with a log link, ``ℓ = μ − y + y log(y/μ)``, ``μ = exp η``.

Taken from ``d = η − log y`` as ``y(exp d − 1 − d)``, so that large counts that are fitted well do not
cancel.
"""

from __future__ import annotations

import numpy as np

from eigenshrink.models.common import exponential, logarithm, refuse, refuse_zeros, spread
from eigenshrink.models.loss import Array, Loss


def _value(y: Array, eta: Array) -> Array:
    zero = y == 0
    base = np.where(zero, 1.0, y)
    off = eta - np.log(base)
    with np.errstate(over="ignore"):
        value: Array = base * np.expm1(off) - y * off
    return value + zero if np.any(zero) else value


def _slope(y: Array, eta: Array) -> Array:
    return exponential(eta) - y


def _curvature(y: Array, eta: Array) -> Array:
    return spread(exponential(eta), y)


def _variance(mean: Array) -> Array:
    return mean


def _check(y: Array) -> None:
    refuse(y, y < 0, "Poisson needs counts >= 0")
    refuse_zeros(y)


POISSON = Loss(
    name="poisson",
    convex=True,
    value=_value,
    slope=_slope,
    curvature=_curvature,
    mean=exponential,
    link=logarithm,
    variance=_variance,
    known_dispersion=True,
    unit="half deviance",
    check=_check,
)
