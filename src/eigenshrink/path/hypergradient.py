"""Which part of a model wants more decay and which less: the slope of the validation loss (M13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigenshrink.errors import NotConverged
from eigenshrink.path.solve import System

if TYPE_CHECKING:
    from eigenshrink.path.krylov import KrylovPath

Array = NDArray[np.float64]

ACCURACY = 1e-6  # relative residual of the one solve
MOST = 500  # products of it
NUDGE = 1e-3  # share of one unit of log α by which rows are moved to see their slopes


@dataclass(frozen=True, eq=False)
class Hypergradient:
    """``dV/d log α_j = −α ∇V(w₀)ᵀ H_α⁻¹ D_j w₀`` where the training stopped (M13).

    Below zero: more decay lowers the validation loss.

    Attributes
    ----------
    alpha : float
        ``α₀``, where it is taken.
    total : float
        Of all layers together, unit of the loss per unit of log α.
    standard_error : float
        Of the total, from the rows that judge.
    by_group : mapping
        Of each layer, by name; they add up to the total.
    """

    alpha: float
    total: float
    standard_error: float
    by_group: Mapping[str, float] = field(default_factory=dict)

    def advice(self, name: str) -> str:
        """``raise``, ``lower``, or "" where the layer adds nothing to speak of."""
        each = self.by_group[name]
        if abs(each) <= max(self.standard_error, 1e-12 * sum(map(abs, self.by_group.values()))):
            return ""
        return "raise" if each < 0 else "lower"


def hypergradient(path: KrylovPath) -> Hypergradient | None:
    """One solve with ``H + α₀D`` for all layers; None where nothing judges or ``α₀ = 0``.

    Cost: one gradient and two passes over the rows that judge, and a few products with H: the directions
    that the path knows are solved exactly, conjugate gradients do the rest.

    Raises
    ------
    NotConverged
        If 500 products do not reach a relative residual of 1e-6: H is not positive enough at ``α₀``.
    """
    measure, alpha = path.measure, path.fit.alpha
    if measure is None or not measure.judges or not 0 < alpha < np.inf or not len(path.fit.penalised):
        return None
    start = path.fit.weights[:, 0]
    slope = measure.validation_gradient(start)
    system = System(path, alpha)
    adjoint, solved = system.solve(system.right(slope), ACCURACY, MOST)
    if not solved:
        raise NotConverged(
            f"the hypergradient at alpha = {alpha:g} needs more than {MOST} products: use curvature='ggn', "
            "or study a model that was trained with a larger decay"
        )
    pull = np.zeros_like(start)
    pull[path.fit.penalised] = adjoint * start[path.fit.penalised] / path.fit.scale
    each = {layer.name: -alpha * float(pull[layer.places].sum()) for layer in path.layers}
    return Hypergradient(alpha, -alpha * float(pull.sum()), _error(path, alpha), each)


def _error(path: KrylovPath, alpha: float) -> float:
    """Standard error of the total: rows that judge, moved a little along the path."""
    assert path.measure is not None
    start, moves = path.fit.weights[:, 0], NUDGE * path.slope(alpha)
    ahead, behind = (path.measure.validation(start + sign * moves) for sign in (1.0, -1.0))
    return ahead.noise(behind) / (2 * NUDGE)
