"""Solves with ``H + αD`` at one strength: the directions that a path knows exactly, the rest by products."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, cg

from eigenshrink.spectrum.eliminated import Solved

if TYPE_CHECKING:
    from eigenshrink.path.krylov import KrylovPath

Array = NDArray[np.float64]

FEW = 30  # products of a bound
SLACK = 0.1  # relative, that it may have


class System:
    """``D^{-½} H_S D^{-½} + αI`` of a path, free weights solved (M12).

    Parameters
    ----------
    path : KrylovPath
        As the quadratic has it.
    alpha : float, > 0
    """

    def __init__(self, path: KrylovPath, alpha: float) -> None:
        self.path, self.alpha = path, alpha
        self.fit, self.free = path.quadratic.fit, path.spectrum.free
        self.inverse = 1.0 / (path.spectrum.eigenvalues + alpha) - 1.0 / alpha

    def right(self, b: Array) -> Array:
        """``D^{-½} b_S`` of a right side ``(p,)``: free weights follow, ``(p_pen,)``."""
        fit, free = self.fit, self.free
        pull = b[fit.penalised] - (free.onto.T @ b[fit.free] if len(fit.free) else 0.0)
        scaled: Array = fit.scale * pull
        return scaled

    def product(self, x: Array) -> Array:
        """The matrix times ``(p_pen,)``, for one product with H."""
        x, fit = x.ravel(), self.fit
        moved = np.zeros(len(fit.penalty_factor))
        moved[fit.penalised] = fit.scale * x
        if len(fit.free):
            moved[fit.free] = -self.free.onto @ moved[fit.penalised]
        answer = fit.curvature.matvec(moved)
        turned: Array = fit.scale * answer[fit.penalised] + self.alpha * x
        return turned

    def nearly(self, x: Array) -> Array:
        """Solved as if directions that are not known were flat; exact where the path knows them all."""
        directions = self.path.spectrum.directions
        c = directions.forth(x.reshape(-1, 1))
        back: Array = directions.back(self.inverse[:, None] * c)[:, 0]
        return x.ravel() / self.alpha + back

    def solve(self, right: Array, accuracy: float, most: int) -> tuple[Array, bool]:
        """The solution ``(p_pen,)``, and whether it is as accurate as asked for."""
        if self.path.bound is None:
            return self.nearly(right), True
        shape = (len(right), len(right))
        operator, inside = LinearOperator(shape, self.product), LinearOperator(shape, self.nearly)
        x, short = cg(operator, right, x0=self.nearly(right), rtol=accuracy, maxiter=most, M=inside)
        return np.asarray(x), not short

    def gain(self, slope: Array) -> float:
        """What a Newton step would gain where the gradient is ``r``, ``½ rᵀ(H + αD)⁻¹r``, or a bound on it.

        Infinite where ``H + αD`` is not positive.
        """
        right, fit = self.right(slope), self.fit
        lowest = self.alpha - self.path.quadratic.trusted[0]
        if not lowest > 0:
            return float("inf")
        whole = self.path.bound is None
        total = float(right @ self.nearly(right)) if whole else self._at_most(right, lowest)
        if len(fit.free):
            total += self._free_gain(slope[fit.free])
        return 0.5 * total

    def _at_most(self, right: Array, lowest: float) -> float:
        """``rᵀA⁻¹r`` from above, by conjugate gradients: ``2rᵀx − xᵀAx + ‖r − Ax‖²/(α + λ)`` from any x.

        With the lowest λ, 0 where none is negative.
        """
        x = self.nearly(right)
        rest = right - self.product(x)
        near = toward = self.nearly(rest)
        for count in range(FEW + 1):
            total, slack = float((right + rest) @ x), float(rest @ rest) / lowest
            if slack <= SLACK * total or count == FEW:
                break
            moved = self.product(toward)
            step, size = float(rest @ near) / float(toward @ moved), float(rest @ near)
            x, rest = x + step * toward, rest - step * moved
            near = self.nearly(rest)
            toward = near + float(rest @ near) / size * toward
        return total + slack

    def _free_gain(self, slope: Array) -> float:
        """``rᵀ H_FF⁺ r`` of the free weights."""
        onto, root = self.free.onto, self.free.root
        if isinstance(onto, Solved):
            return float(slope @ onto.inverse(slope))
        return float(np.sum((root.T @ slope) ** 2))
