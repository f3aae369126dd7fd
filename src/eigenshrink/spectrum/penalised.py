"""``A = D^{-½} H_S D^{-½}`` by products with H: what every Krylov space here is made with (M12, M19)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.errors import InputError
from eigenshrink.fit import Fit
from eigenshrink.spectrum.eliminated import Report, Solved
from eigenshrink.spectrum.record import FreeBlock

__all__ = ["Penalised", "Report"]

Array = NDArray[np.float64]


class Penalised:
    """The curvature that the penalty sees, in the unit in which the penalty is ``α‖v‖²/2``, ``v = D^{½}w_P``.

    Attributes
    ----------
    fit : Fit
    free : FreeBlock
    products : int
        Columns that were multiplied so far.
    """

    def __init__(self, fit: Fit, free: FreeBlock) -> None:
        self.fit, self.free, self.products = fit, free, 0
        self._scale = fit.scale[:, None]

    @property
    def dim(self) -> int:
        """Penalised weights."""
        return len(self._scale)

    @property
    def precision(self) -> np.dtype[Any]:
        """In which products are computed."""
        return self.fit.curvature.precision

    @property
    def start(self) -> Array:
        """``v₀ = D^{½}w₀``, ``(p_pen,)``."""
        start: Array = self.fit.weights[self.fit.penalised, 0] / self._scale[:, 0]
        return start

    @property
    def slope(self) -> Array:
        """``g_S = D^{-½}(g_P − H_PF H_FF⁺ g_F)``, ``(p_pen,)``."""
        fit = self.fit
        slope = fit.gradient[fit.penalised, 0]
        if len(fit.free):
            slope = slope - self.free.onto.T @ fit.gradient[fit.free, 0]
        return np.asarray(self._scale[:, 0] * slope)

    def matvec(self, V: Array) -> Array:
        """``A V`` for V of shape ``(p_pen, m)``, all columns in one product with H.

        Free weights follow: ``[I, −Bᵀ] H [I; −B]`` with ``B = H_FF⁺H_FP``, which stays symmetric, and
        positive with H, whatever the error of B.

        Raises
        ------
        InputError
            If a product is not finite.
        """
        fit, onto = self.fit, self.free.onto
        self.products += V.shape[1]
        scaled = self._scale * V
        if len(scaled) == len(fit.penalty_factor):
            return self._scale * finite(fit.curvature.matvec(scaled))
        whole = np.zeros((len(fit.penalty_factor), V.shape[1]))
        whole[fit.penalised] = scaled
        if len(fit.free):
            whole[fit.free] = -(onto @ scaled)
        answer = finite(fit.curvature.matvec(whole))
        pulled = answer[fit.penalised]
        if len(fit.free) and not isinstance(onto, Solved):
            pulled -= onto.T @ answer[fit.free]
        pulled *= self._scale
        return pulled


def finite(answer: Array) -> Array:
    """What a product gave, refused where it is not finite."""
    if not np.isfinite(answer).all():
        raise InputError(
            "a product with the curvature gives NaN or infinity: lower the learning rate and train again, or "
            "take the weights in float32 or float64"
        )
    return answer
