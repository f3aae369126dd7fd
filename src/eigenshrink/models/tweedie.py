"""The Tweedie loss of amounts that may be 0, ``V(μ) = μ^p`` with 1 < p < 2, and a log link.

``ℓ = y^(2−p)/((1−p)(2−p)) − yμ^(1−p)/(1−p) + μ^(2−p)/(2−p)``: Poisson many gamma amounts. Its curvature
``(2−p)μ^(2−p) + (p−1)yμ^(1−p)`` is never negative for 1 ≤ p ≤ 2, so it is convex for every power taken
here; the ends are the losses poisson and gamma.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from eigenshrink.errors import InputError
from eigenshrink.models.common import exponential, logarithm, number, refuse, refuse_zeros
from eigenshrink.models.loss import Array, Loss


def _value(power: float, y: Array, eta: Array) -> Array:
    zero = y == 0
    base = np.where(zero, 1.0, y)
    off = eta - np.log(base)
    up, down = 2.0 - power, 1.0 - power
    with np.errstate(over="ignore"):
        below = np.expm1(down * np.where(zero, 0.0, off)) / down
        value: Array = base**up * (np.expm1(up * off) / up - below)
        value += zero / up
    return value


def _slope(power: float, y: Array, eta: Array) -> Array:
    up, down = 2.0 - power, 1.0 - power
    return exponential(up * eta) - exponential(down * eta + logarithm(y))


def _curvature(power: float, y: Array, eta: Array) -> Array:
    up, down = 2.0 - power, 1.0 - power
    return up * exponential(up * eta) - down * exponential(down * eta + logarithm(y))


def _variance(power: float, mean: Array) -> Array:
    return mean**power


def _check(y: Array) -> None:
    refuse(y, y < 0, "Tweedie needs amounts >= 0")
    refuse_zeros(y)


def tweedie(power: float = 1.5) -> Loss:
    """The Tweedie loss of one power of the variance function, strictly between 1 and 2.

    Raises
    ------
    InputError
        If the power lies elsewhere.
    """
    if not 1.0 < power < 2.0:
        raise InputError(
            f"the power of tweedie is {power:g}; it must lie between 1 and 2: 1 is loss='poisson', "
            "2 is loss='gamma', 3 is loss='inverse_gaussian'"
        )
    return Loss(
        name=f"tweedie:{number(power)}",
        convex=True,
        value=partial(_value, power),
        slope=partial(_slope, power),
        curvature=partial(_curvature, power),
        mean=exponential,
        link=logarithm,
        variance=partial(_variance, power),
        known_dispersion=False,
        unit="half deviance",
        check=_check,
    )
