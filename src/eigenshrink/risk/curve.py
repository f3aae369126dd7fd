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
from eigenshrink.penalty import some_strengths, strengths
from eigenshrink.risk.minimum import Evaluate, Minimum, minimise

Array = NDArray[np.float64]

MARGIN = 1e6  # how far beyond these strengths a curve is followed before its limit takes over
LIMIT = 1e-30  # share of the smallest λ that stands for α = 0
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
    span : (low, high) or None
        Ends in log α between which the curve moves; None: it is constant.
    targets : int
    one_target : bool
        Results carry no target axis.
    flat_limit : (t,) of bool
        The curve tends to a finite flat value as α → 0 (evidence with p ≥ n): no choice is made there.
    chosen : callable or None
        Gives the chosen strength, ``(t,)``, which ``curve()`` uses.
    """

    name: str
    unit: str
    evaluate: Evaluate
    span: tuple[float, float] | None
    targets: int
    one_target: bool
    flat_limit: NDArray[np.bool_]
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
        found = minimise(self.evaluate, self.span, self.targets, self.flat_limit)
        return found.first() if self.one_target else found

    @cached_property
    def total_minimum(self) -> Minimum:
        """Where the sum over targets is lowest: one strength for all."""

        def total(alphas: Array, slopes: bool) -> tuple[Array, Array]:
            values, steep = self.evaluate(alphas, slopes)
            return values.sum(axis=1, keepdims=True), steep.sum(axis=1, keepdims=True)

        return minimise(total, self.span, 1, np.array([self.flat_limit.all()])).first()

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
            strength = some_strengths(alpha)
            axes, alphas = strength.ndim, strength.reshape(-1, 1)
        values, slopes = self.evaluate(alphas, slopes=derivative)
        result = slopes if derivative else values
        return squeeze(np.broadcast_to(result, (len(alphas), self.targets)), axes, self.one_target)


def remembered(evaluate: Evaluate, most: int = 8) -> Evaluate:
    """The same curve, its last answers kept: page, figures and result.json ask for the same strengths."""
    kept: dict[tuple[bytes, int], tuple[Array, Array]] = {}

    def again(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        key = (alphas.tobytes(), alphas.shape[1])
        if key not in kept or (slopes and np.isnan(kept[key][1]).all()):
            while len(kept) >= most:
                kept.pop(next(iter(kept)))
            kept[key] = evaluate(alphas, slopes)
        return kept[key]

    return again


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
    def flat(self) -> NDArray[np.bool_]:
        """Targets that are fitted exactly as α → 0 by using up every observation, ``(t,)`` (M14)."""
        return np.asarray((self.outside == 0) & (self.spare == 0) & (len(self.eigenvalues) > 0))

    @property
    def span(self) -> tuple[float, float] | None:
        """Ends in log α between which criteria move: around λ, and down to where noise equals weights.

        At ``α ≈ outside/‖w*‖²`` the price of the weights equals the noise, however large λ is.
        """
        values = self.eigenvalues
        if not len(values):
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
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
        return kept_share(self.above_zero(strength), self.eigenvalues)

    def lost_slope(self, strength: Array) -> Array:
        """``d lost / d log α = lost · λ/(λ+α)``."""
        return self.lost(strength) * kept_share(self.eigenvalues, strength)
