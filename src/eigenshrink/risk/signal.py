"""What every criterion reads of a squared-loss path: a few numbers per direction (M20)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eigenshrink.path import QuadraticPath, kept_share

Array = NDArray[np.float64]

MARGIN = 1e6  # how far beyond these strengths a curve is followed before its limit takes over
HUGE = 1e300  # strengths below it can be added to an eigenvalue
LIMIT = 1e-30  # share of the smallest λ that stands for α = 0


@dataclass(frozen=True, eq=False)
class Signal:
    """What every criterion reads of a squared-loss path: O(k) numbers per target (M20).

    Attributes
    ----------
    eigenvalues : (k,)
        λ.
    squares : (k, t)
        Mean square of the targets along each left direction.
    outside : (t,)
        Mean square outside their span.
    weight_sum, observations : float
        S and ν.
    free_rank : int
        m.
    """

    eigenvalues: Array
    squares: Array
    outside: Array
    weight_sum: float
    observations: float
    free_rank: int

    @classmethod
    def of(cls, path: QuadraticPath) -> Signal:
        """Collect them; a path without data has none."""
        sample, spectrum = path.sample, path.spectrum
        values = spectrum.eigenvalues
        return cls(
            eigenvalues=values,
            squares=spectrum.squares,
            outside=spectrum.outside,
            weight_sum=sample.weight_sum,
            observations=sample.observations,
            free_rank=spectrum.free.rank,
        )

    @property
    def spare(self) -> float:
        """``ν − m − k``: observations that no direction uses up."""
        return self.observations - self.free_rank - len(self.eigenvalues)

    @property
    def span(self) -> tuple[float, float] | None:
        """Ends in log α between which criteria move: around λ, and down to where noise equals weights.

        At ``α ≈ outside/‖w*‖²`` the price of the weights equals the noise, however large λ is.
        """
        values = self.eigenvalues
        if not len(values):
            return None
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            even = self.outside / (self.squares / values[:, None]).sum(axis=0)
        low = min([values[-1], *even[(even > 0) & np.isfinite(even)]])
        return float(np.log(max(low / MARGIN, values[-1] * 1e-40))), float(np.log(values[0] * MARGIN))

    def total(self, kernel: Callable[[Array], Array], alphas: Array, along: Array | None = None) -> Array:
        """``Σ_i kernel(α)_i · along_i`` for strengths ``(m, 1)`` or ``(m, t)``, ``(m, t)``.

        ``kernel`` maps (q, 1) strengths to (q, k). Without ``along``: the plain sum, alike.
        """
        if alphas.shape[1] == 1:
            shares = kernel(alphas)
            return shares.sum(axis=1, keepdims=True) if along is None else shares @ along
        if along is None:
            return np.stack([kernel(row[:, None]).sum(axis=1) for row in alphas])
        return np.stack([np.einsum("tk,kt->t", kernel(row[:, None]), along) for row in alphas])

    def above_zero(self, strength: Array) -> Array:
        """α = 0 as the limit from above: far below every λ, where shares still have all their digits."""
        return np.maximum(strength, self.eigenvalues[-1] * LIMIT) if len(self.eigenvalues) else strength

    def lost(self, strength: Array) -> Array:
        """``α/(λ+α)``, the share that is lost."""
        return _lost(self.above_zero(strength), self.eigenvalues)

    def lost_columns(self, strength: Array) -> Array:
        """The same with a column ``(k, q)`` for each of the strengths ``(q, 1)``."""
        return _lost(self.above_zero(strength).T, self.eigenvalues[:, None])

    def lost_slope(self, strength: Array) -> Array:
        """``d lost / d log α = lost · λ/(λ+α)``."""
        return self.lost(strength) * kept_share(self.eigenvalues, strength)


def _lost(strength: Array, eigenvalues: Array) -> Array:
    if np.all(strength < HUGE):
        return np.asarray(strength / (strength + eigenvalues))
    return kept_share(strength, eigenvalues)
