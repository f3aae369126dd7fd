"""The squared loss, ``ℓ = ½(y − η)²``: half the unit deviance of a normal response (MATHS, symbols).

A loss is value, slope and curvature per row. Whatever else the house knows about squared loss follows
from its curvature being constant: the quadratic of M4 is exact everywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

name = "squared"
convex = True  # M11: the certificate of M16 may be claimed


def value(y: Array, eta: Array) -> Array:
    """Loss per row, ``½(y − η)²``."""
    return 0.5 * (y - eta) ** 2


def slope(y: Array, eta: Array) -> Array:
    """First derivative in the predictor, ``η − y``."""
    return eta - y


def curvature(y: Array, eta: Array) -> Array:
    """Second derivative in the predictor: one."""
    return np.ones_like(y * eta)
