"""The logistic loss of two classes, ``ℓ = log(1 + exp η) − yη``: the log loss of ``π = 1/(1 + exp(−η))``.

Targets are 0 and 1; fractions between them are legal too, and the entropy of y is taken off then, so that
a perfect fit has loss 0. Rows with y > ½ are reflected, ``ℓ(y, η) = ℓ(1−y, −η)``: nothing cancels then
where the fit is nearly perfect, and a slope of 1e-300 is exact.
"""

from __future__ import annotations

import numpy as np
import scipy.special

from eigenshrink.models.common import logarithm, refuse, spread
from eigenshrink.models.loss import Array, Loss


def _reflected(y: Array) -> tuple[Array, Array]:
    """The sign of η and the target at most ½ that give the same loss."""
    sign = np.where(y > 0.5, -1.0, 1.0)
    return sign, np.where(y > 0.5, 1.0 - y, y)


def _value(y: Array, eta: Array) -> Array:
    sign, share = _reflected(y)
    eta = sign * eta
    value: Array = np.log1p(np.exp(-np.abs(eta))) + np.maximum(eta, 0.0)
    if not np.any(share):
        return value
    entropy = -scipy.special.xlogy(share, share) - scipy.special.xlog1py(1.0 - share, -share)
    rounded: Array = np.maximum(value - share * eta - entropy, 0.0)  # a perfect fit is not below 0
    return rounded


def _slope(y: Array, eta: Array) -> Array:
    sign, share = _reflected(y)
    with np.errstate(over="ignore"):
        slope: Array = sign / (1.0 + np.exp(-sign * eta)) - sign * share
    return slope


def _curvature(y: Array, eta: Array) -> Array:
    small = np.exp(-np.abs(eta))
    return spread(small / (1.0 + small) ** 2, y)


def _mean(eta: Array) -> Array:
    with np.errstate(over="ignore"):  # 1/inf is the 0 that is meant
        probability: Array = 1.0 / (1.0 + np.exp(np.negative(eta)))
    return probability


def _link(mean: Array) -> Array:
    return logarithm(mean) - logarithm(1.0 - mean)


def _variance(mean: Array) -> Array:
    return mean * (1.0 - mean)


def _check(y: Array) -> None:
    refuse(y, (y < 0) | (y > 1), "logistic needs two classes coded 0 and 1, or fractions between them")


LOGISTIC = Loss(
    name="logistic",
    convex=True,
    value=_value,
    slope=_slope,
    curvature=_curvature,
    mean=_mean,
    link=_link,
    variance=_variance,
    known_dispersion=True,
    unit="log loss",
    check=_check,
    classes=2,
)
