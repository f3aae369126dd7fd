"""The inverse Gaussian loss of positive numbers with a log link, ``ℓ = (y − μ)²/(2μ²y)``, ``μ = exp η``.

Not convex in η: its curvature ``(2y − μ)/μ²`` is negative where μ > 2y. No certificate is claimed (M11,
M16).
"""

from __future__ import annotations

import numpy as np

from eigenshrink.models.common import exponential, logarithm, refuse_not_positive
from eigenshrink.models.loss import Array, Loss


def _value(y: Array, eta: Array) -> Array:
    with np.errstate(over="ignore"):
        value: Array = 0.5 * np.expm1(logarithm(y) - eta) ** 2 / y
    return value


def _slope(y: Array, eta: Array) -> Array:
    off = logarithm(y) - eta
    with np.errstate(over="ignore"):
        slope: Array = -np.expm1(off) * np.exp(off) / y
    return slope


def _curvature(y: Array, eta: Array) -> Array:
    ratio = exponential(logarithm(y) - eta)
    with np.errstate(over="ignore"):
        curvature: Array = ratio * (2.0 * ratio - 1.0) / y
    return curvature


def _variance(mean: Array) -> Array:
    return mean**3


def _check(y: Array) -> None:
    refuse_not_positive(y, "inverse Gaussian")


def _steady(y: Array, eta: Array) -> Array:
    """The expected curvature, ``1/μ``."""
    return np.broadcast_to(exponential(-eta), np.broadcast(y, eta).shape)


INVERSE_GAUSSIAN = Loss(
    name="inverse_gaussian",
    convex=False,
    value=_value,
    slope=_slope,
    curvature=_curvature,
    mean=exponential,
    link=logarithm,
    variance=_variance,
    known_dispersion=False,
    unit="half deviance",
    check=_check,
    smooth=False,
    steady=_steady,
)
