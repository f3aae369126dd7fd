"""What both kinds of path hand out: shares that are kept, the three steps, public shapes (M7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ThreeSteps:
    """M7 taken apart for one strength: rotate, scale, rotate back.

    Attributes
    ----------
    start : (p_pen,)
        ``v* = D^{½} w*``, the unregularised solution.
    rotated : (k,)
        ``Qᵀ v*``.
    scaled : (k,)
        ``λ/(λ+α)`` times that.
    back : (p_pen,)
        ``Q`` times that: ``D^{½} w̃(α)``.
    """

    start: Array
    rotated: Array
    scaled: Array
    back: Array


def kept_share(eigenvalues: Array, strength: Array) -> Array:
    """``λ/(λ+α)`` without overflow: 1 at α = 0 for λ > 0, 0 at α = ∞ and for λ = 0."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = 1.0 / (1.0 + strength / eigenvalues)
    return np.where(eigenvalues > 0, share, np.where(eigenvalues == 0, 0.0, np.nan))


def squeeze(values: Array, axes: int, one_target: bool) -> Any:
    """Public shape of ``(a, t)`` values: drop what a scalar strength or a 1-d y does not have."""
    result = values[:, 0] if one_target else values
    result = result if axes else result[0]
    return result if np.ndim(result) else float(result)
