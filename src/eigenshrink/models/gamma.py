"""The gamma loss of positive numbers with a log link, ``ℓ = y/μ − 1 − log(y/μ)``, ``μ = exp η``."""

from __future__ import annotations

import numpy as np

from eigenshrink.models.common import exponential, logarithm, refuse_not_positive
from eigenshrink.models.loss import Array, Loss


def _value(y: Array, eta: Array) -> Array:
    off = logarithm(y) - eta
    with np.errstate(over="ignore"):
        value: Array = np.expm1(off) - off
    return value


def _slope(y: Array, eta: Array) -> Array:
    with np.errstate(over="ignore"):
        slope: Array = -np.expm1(logarithm(y) - eta)
    return slope


def _curvature(y: Array, eta: Array) -> Array:
    return exponential(logarithm(y) - eta)


def _variance(mean: Array) -> Array:
    return mean**2


def _check(y: Array) -> None:
    refuse_not_positive(y, "gamma")


GAMMA = Loss(
    name="gamma",
    convex=True,
    value=_value,
    slope=_slope,
    curvature=_curvature,
    mean=exponential,
    link=logarithm,
    variance=_variance,
    known_dispersion=False,
    unit="half deviance",
    check=_check,
)
