"""Losses of generalised linear models, written out a second time and in one shape.

Every loss is written for linear predictors ``(n, c)``, ``c = 1`` where there are no classes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_softmax, softmax, xlogy


class Deviance(NamedTuple):
    """Of ``(y (n,), eta (n, c))``: value (n,), slope (n, c), curvature (n, c, c); mean (n, c) of eta."""

    value: Callable[[np.ndarray, np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray, np.ndarray], np.ndarray]
    curvature: Callable[[np.ndarray, np.ndarray], np.ndarray]
    mean: Callable[[np.ndarray], np.ndarray]


def one(value, slope, curvature, mean) -> Deviance:
    """A loss of one linear predictor from functions of ``y (n,)`` and ``eta (n,)``."""
    return Deviance(
        lambda y, eta: value(y, eta[:, 0]),
        lambda y, eta: slope(y, eta[:, 0])[:, None],
        lambda y, eta: curvature(y, eta[:, 0])[:, None, None],
        mean,
    )


def power(k: float, value) -> Deviance:
    """Variance μᵏ with a log link: ``∂ℓ/∂η = (μ − y) μ^{1−k}``."""
    return one(
        value,
        lambda y, eta: np.exp((2 - k) * eta) - y * np.exp((1 - k) * eta),
        lambda y, eta: (2 - k) * np.exp((2 - k) * eta) - (1 - k) * y * np.exp((1 - k) * eta),
        np.exp,
    )


def tweedie(k: float) -> Deviance:
    def value(y, eta):
        own = y ** (2 - k) / ((1 - k) * (2 - k))
        return own - y * np.exp((1 - k) * eta) / (1 - k) + np.exp((2 - k) * eta) / (2 - k)

    return power(k, value)


def huber(delta: float) -> Deviance:
    def value(y, eta):
        r = np.abs(y - eta)
        return np.where(r <= delta, r**2 / 2, delta * r - delta**2 / 2)

    return one(
        value,
        lambda y, eta: np.clip(eta - y, -delta, delta),
        lambda y, eta: (np.abs(y - eta) <= delta).astype(float),
        lambda eta: eta,
    )


def chosen(y, eta):
    return -np.take_along_axis(log_softmax(eta, axis=1), y.astype(int)[:, None], axis=1)[:, 0]


def softmax_curvature(y, eta):
    P = softmax(eta, axis=1)
    return P[:, :, None] * np.eye(P.shape[1]) - P[:, :, None] * P[:, None, :]


def entropy(y):
    return xlogy(y, y) + xlogy(1 - y, 1 - y)


BINOMIAL = one(
    lambda y, eta: np.logaddexp(0, eta) - y * eta + entropy(y),
    lambda y, eta: expit(eta) - y,
    lambda y, eta: expit(eta) * expit(-eta),
    expit,
)
SOFTMAX = Deviance(
    chosen,
    lambda y, eta: softmax(eta, axis=1) - np.eye(eta.shape[1])[y.astype(int)],
    softmax_curvature,
    lambda eta: softmax(eta, axis=1),
)
SQUARED = huber(np.inf)._replace(value=lambda y, eta: (y - eta[:, 0]) ** 2 / 2)
POISSON = power(1, lambda y, eta: np.exp(eta) - y * eta + xlogy(y, y) - y)
GAMMA = power(2, lambda y, eta: y * np.exp(-eta) + eta - 1 - np.log(y))
INVERSE_GAUSSIAN = power(3, lambda y, eta: (y - np.exp(eta)) ** 2 / (2 * y * np.exp(2 * eta)))
FIXED = {
    "squared": SQUARED,
    "logistic": BINOMIAL,
    "binomial": BINOMIAL,
    "multinomial": SOFTMAX,
    "poisson": POISSON,
    "gamma": GAMMA,
    "inverse_gaussian": INVERSE_GAUSSIAN,
}
VARIANCE = {"poisson": 1, "gamma": 2, "inverse_gaussian": 3}


def deviance_of(name: str) -> Deviance:
    kind, _, number = name.partition(":")
    if kind == "tweedie":
        return tweedie(float(number or 1.5))
    return huber(float(number)) if kind == "huber" else FIXED[kind]
