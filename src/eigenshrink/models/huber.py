"""The Huber loss of robust regression: ``½r²`` up to ``|r| = δ``, ``δ|r| − ½δ²`` beyond, ``r = y − η``.

Convex, with curvature 1 and 0: rows farther away than δ pull with the same force, however far. Huber
(1964), Ann. Math. Statist. 35(1).
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from eigenshrink.errors import InputError
from eigenshrink.models.common import anything, number
from eigenshrink.models.loss import Array, Loss
from eigenshrink.models.squared import SQUARED

EFFICIENT = 1.345
"""δ in standard deviations of the noise: 95 % efficient where it is normal."""


def _value(delta: float, y: Array, eta: Array) -> Array:
    off = eta - y
    inside = np.clip(off, -delta, delta)
    return inside * (off - 0.5 * inside)


def _slope(delta: float, y: Array, eta: Array) -> Array:
    slope: Array = np.clip(eta - y, -delta, delta)
    return slope


def _curvature(delta: float, y: Array, eta: Array) -> Array:
    return np.asarray(np.abs(eta - y) <= delta, dtype=np.float64)


def _steady(delta: float, y: Array, eta: Array) -> Array:
    """``ψ(r)/r``: with it the quadratic lies above the loss everywhere (Huber & Dutter 1974)."""
    return np.asarray(delta / np.maximum(np.abs(eta - y), delta))


def huber(delta: float | None = None) -> Loss:
    """The Huber loss with its corner at ``delta``, in units of y.

    Without it the loss is called "huber", is what 1.345 gives, and is to be replaced by one that knows
    the scale of the noise.

    Raises
    ------
    InputError
        If ``delta`` is not a positive number.
    """
    corner = EFFICIENT if delta is None else delta
    if not 0.0 < corner < math.inf:
        raise InputError(
            f"the delta of huber is {corner:g}; it must be a positive number in units of y, "
            "or leave it away: loss='huber' takes 1.345 robust standard deviations of the residuals"
        )
    return Loss(
        name="huber" if delta is None else f"huber:{number(corner)}",
        convex=True,
        value=partial(_value, corner),
        slope=partial(_slope, corner),
        curvature=partial(_curvature, corner),
        mean=SQUARED.mean,
        link=SQUARED.link,
        variance=SQUARED.variance,
        known_dispersion=False,
        unit="half deviance",
        check=anything,
        smooth=False,
        steady=partial(_steady, corner),
    )
