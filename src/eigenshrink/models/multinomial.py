"""The log loss of any number of classes, ``ℓ = log Σ_c exp η_c − η_y``: the symmetric softmax.

Every class has its own η, so that adding a number to all of them changes nothing; the class that is seen
never meets its own exponential, so that nothing cancels where the fit is nearly perfect.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eigenshrink.models.common import logarithm, refuse
from eigenshrink.models.loss import Array, Loss


def _seen(y: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where the class of each row stands in ``(n, c)``."""
    return np.arange(len(y)), np.asarray(y).astype(np.intp)


def _value(y: Array, eta: Array) -> Array:
    seen = _seen(y)
    margin: Array = eta - np.expand_dims(eta[seen], 1)
    margin[seen] = -np.inf
    top: Array = np.maximum(margin.max(axis=1), 0.0)
    others = np.exp(margin - np.expand_dims(top, 1)).sum(axis=1)
    value: Array = top + np.log1p(others + np.expm1(-top))
    return value


def _slope(y: Array, eta: Array) -> Array:
    seen = _seen(y)
    slope = _mean(eta)
    slope[seen] = 0.0
    slope[seen] = -slope.sum(axis=1)
    return slope


def _curvature(y: Array, eta: Array) -> Array:
    mean = _mean(eta)
    curvature: Array = -mean[:, :, None] * mean[:, None, :]
    each = np.arange(mean.shape[1])
    curvature[:, each, each] = 0.0
    curvature[:, each, each] = -curvature.sum(axis=2)
    return curvature


def _mean(eta: Array) -> Array:
    axis = min(1, np.ndim(eta) - 1)
    share: Array = np.exp(eta - np.max(eta, axis=axis, keepdims=True))
    share /= share.sum(axis=axis, keepdims=True)
    return share


def _link(mean: Array) -> Array:
    eta = logarithm(mean)
    centred: Array = eta - eta.mean(axis=min(1, np.ndim(mean) - 1), keepdims=True)
    return centred


def _variance(mean: Array) -> Array:
    return mean * (1.0 - mean)


def _check(y: Array) -> None:
    wrong = (y < 0) | (y != np.rint(y))
    refuse(y, wrong & np.isfinite(y), "multinomial needs classes coded 0, 1, 2, ...")


MULTINOMIAL = Loss(
    name="multinomial",
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
    classes=3,
)
