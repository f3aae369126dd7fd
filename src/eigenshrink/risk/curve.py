"""A risk curve: continuous in log α, with its derivative and its minimum over [0, ∞]."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigenshrink.errors import InputError
from eigenshrink.path import QuadraticPath, kept_share, squeeze
from eigenshrink.penalty import strengths
from eigenshrink.risk.minimum import Evaluate, Minimum, minimise

Array = NDArray[np.float64]

LOSS_UNIT = "half mean squared error"
LIKELIHOOD_UNIT = "negative log marginal likelihood"


@dataclass(frozen=True, eq=False)
class RiskCurve:
    """One estimate of the true error as a function of α (M14).

    Attributes
    ----------
    name : str
        loo, gcv, evidence, ...
    unit : str
        Of the values: that of the loss, except for evidence.
    evaluate : Evaluate
        Values and analytic slopes.
    eigenvalues : (k,)
        They tell where the curve can move.
    targets : int
    one_target : bool
        Results carry no target axis.
    flat_limit : bool
        The curve tends to a finite flat value as α → 0 (evidence with p ≥ n): no choice is made there.
    chosen : callable or None
        Gives the chosen strength, ``(t,)``, which ``curve()`` uses.
    """

    name: str
    unit: str
    evaluate: Evaluate
    eigenvalues: Array
    targets: int
    one_target: bool
    flat_limit: bool = False
    chosen: Callable[[], Array] | None = None

    def __call__(self, alpha: ArrayLike | None = None) -> Any:
        """Value at α: ``()`` or ``(t,)``, with a leading axis for ``(a,)``; None: as chosen."""
        return self._shaped(alpha, derivative=False)

    def derivative(self, alpha: ArrayLike | None = None) -> Any:
        """``dR/d log α``, analytic, shaped as the value."""
        return self._shaped(alpha, derivative=True)

    def per_target(self, alphas: ArrayLike) -> Array:
        """Value of each target at its own strength, ``(t,)`` for alphas ``(t,)``."""
        strength = strengths(alphas)
        if strength.shape != (self.targets,):
            raise InputError(
                f"alphas has shape {strength.shape}; one strength per target is needed: ({self.targets},)"
            )
        values: Array = self.evaluate(strength[None, :], slopes=False)[0][0]
        return values

    @cached_property
    def minimum(self) -> Minimum:
        """Where each target's curve is lowest, in [0, ∞], found without a grid of answers."""
        found = minimise(self.evaluate, self.eigenvalues, self.targets, self.flat_limit)
        return found.first() if self.one_target else found

    @cached_property
    def total_minimum(self) -> Minimum:
        """Where the sum over targets is lowest: one strength for all."""

        def total(alphas: Array, slopes: bool) -> tuple[Array, Array]:
            values, steep = self.evaluate(alphas, slopes)
            return values.sum(axis=1, keepdims=True), steep.sum(axis=1, keepdims=True)

        return minimise(total, self.eigenvalues, 1, self.flat_limit).first()

    def standard_error(self, alpha: ArrayLike | None = None) -> Array | None:
        """Paired standard error of the difference to the optimum (M15); None: not defined here."""
        return None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Strengths that cannot be told from the best (M15); None: not defined here."""
        return None

    def _shaped(self, alpha: ArrayLike | None, derivative: bool) -> Any:
        if alpha is None:
            if self.chosen is None:
                raise InputError("this curve belongs to no study: give it a strength, curve(alpha)")
            axes, alphas = 0, self.chosen()[None, :]
        else:
            strength = strengths(alpha)
            axes, alphas = strength.ndim, strength.reshape(-1, 1)
        values, slopes = self.evaluate(alphas, slopes=derivative)
        result = slopes if derivative else values
        return squeeze(np.broadcast_to(result, (len(alphas), self.targets)), axes, self.one_target)


@dataclass(frozen=True, eq=False)
class Directions:
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
    def of(cls, path: QuadraticPath) -> Directions:
        """Collect them; a path without data has none."""
        sample, spectrum = path.sample, path.spectrum
        values = spectrum.eigenvalues
        return cls(
            eigenvalues=values,
            squares=spectrum.numerators**2 / values[:, None],
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
    def perfect(self) -> bool:
        """The rows are fitted exactly as α → 0: what a criterion divides may vanish with its divisor."""
        return bool(len(self.eigenvalues)) and not np.any(self.outside)

    def total(self, kernel: Callable[[Array], Array], alphas: Array, along: Array | None = None) -> Array:
        """``Σ_i kernel(α)_i · along_i`` for strengths ``(m, 1)`` or ``(m, t)``, ``(m, t)``.

        ``kernel`` maps (q, 1) strengths to (q, k). Without ``along``: the plain sum, alike.
        """
        if along is None:
            return np.stack([kernel(row[:, None]).sum(axis=1) for row in alphas])
        if alphas.shape[1] == 1:
            return kernel(alphas) @ along
        return np.stack([np.einsum("tk,kt->t", kernel(row[:, None]), along) for row in alphas])

    def lost(self, strength: Array) -> Array:
        """``α/(λ+α)``, the share that is lost, times :meth:`scale`."""
        if not self.perfect:
            return kept_share(strength, self.eigenvalues)
        with np.errstate(invalid="ignore"):
            ratio = (self.eigenvalues[-1] + strength) / (self.eigenvalues + strength)
        return np.where(np.isinf(strength), 1.0, ratio)

    def lost_slope(self, strength: Array) -> Array:
        """``d lost / d log α = lost · λ/(λ+α)``, the scale held fixed."""
        return self.lost(strength) * kept_share(self.eigenvalues, strength)

    def scale(self, strength: Array) -> Array | float:
        """One, or ``(λ_k+α)/α`` where the fit can be perfect: criteria are ratios in which it cancels.

        It keeps them defined at α = 0, where both sides of the ratio vanish.
        """
        if not self.perfect:
            return 1.0
        with np.errstate(divide="ignore"):
            return np.asarray(1.0 + self.eigenvalues[-1] / strength)


def scaled(spare: Array | float, scale: Array | float) -> Array:
    """``spare · scale``, zero where nothing is spare even if the scale is infinite."""
    some = np.asarray(spare) > 0
    return np.where(some, spare * np.where(some, scale, 1.0), 0.0)
