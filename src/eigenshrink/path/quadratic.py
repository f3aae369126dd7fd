"""The path: the regularised model for every strength at once, from one spectrum (M5-M9, M16)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse

from eigenshrink.data.rows import BLOCK, slices
from eigenshrink.errors import InputError
from eigenshrink.fit import Fit, Sample
from eigenshrink.models.loss import Loss
from eigenshrink.models.squared import SQUARED
from eigenshrink.path.steps import ThreeSteps, kept_share, squeeze
from eigenshrink.penalty import some_strengths
from eigenshrink.spectrum import Spectrum
from eigenshrink.spectrum.triangular import EPS

Array = NDArray[np.float64]

SAFETY = 3.0  # the residual is as noisy as it is large, so its correction is tripled
NOISE = 1.0  # rounding of a fitted row, in units of ε · σ_max · ‖w‖


@dataclass(frozen=True, eq=False)
class QuadraticPath:
    """``w̃(α) = w₀ − (H + αD)⁻¹(g + αDw₀)`` for any α in ``[0, ∞]``, from one spectrum (M5).

    Exact where the loss is quadratic: squared loss always, other losses near ``w₀`` (M11).

    Attributes
    ----------
    fit : Fit
        Where it starts.
    spectrum : Spectrum
        Eigenvalues and directions.
    """

    fit: Fit
    spectrum: Spectrum

    @cached_property
    def made(self) -> dict[str, Any]:
        """What was made of this path and is used by several, by name."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        return {"fit": self.fit, "spectrum": self.spectrum}

    @property
    def sample(self) -> Sample:
        """What is known of the data.

        Raises
        ------
        InputError
            If the path came from a Hessian and not from data.
        """
        if self.fit.sample is None:
            raise InputError(
                "this path has no data, so the true error cannot be estimated: use es.study(X, y)"
            )
        return self.fit.sample

    @property
    def available_risks(self) -> tuple[str, ...]:
        """Names of the estimates of the true error that this path allows (M14)."""
        sample, training = self.fit.sample, self.fit.training
        if sample is None:
            return ()
        splits = None if training is None else training.splits
        rank = self.spectrum.free.rank + len(self.spectrum.eigenvalues)
        known = {
            "combined": training is not None,
            "loo": training is not None,
            "leave_group_out": splits is not None and splits.groups is not None,
            "kfold": splits is not None,
            "gcv": True,
            "cp": min(sample.rows, sample.observations) > rank,
            "evidence": True,
            "validation": splits is not None and splits.holdout is not None,
            "train": True,
            "optimism": True,
        }
        return tuple(name for name, there in known.items() if there)

    @property
    def loss(self) -> Loss:
        """What is minimised, where that is known."""
        return self.fit.loss or SQUARED

    @property
    def free_rank(self) -> int:
        """m: the rank of what is free, the intercept included."""
        return self.spectrum.free.rank

    @property
    def outputs(self) -> int:
        """Targets t."""
        return int(self.spectrum.numerators.shape[1])

    @property
    def one_target(self) -> bool:
        """Results carry no target axis."""
        return self.spectrum.one_target

    @cached_property
    def span(self) -> tuple[float, float] | None:
        """Ends in log α between which shares move; None: nothing that varies is penalised."""
        values = self.spectrum.eigenvalues[self.spectrum.eigenvalues > 0]
        return (float(np.log(values[-1])), float(np.log(values[0]))) if len(values) else None

    whole = True  # its curvature can be looked at as a matrix
    outputs_apart = 1  # targets are fitted each for itself
    lowest = 0.0  # every strength has a solution

    @cached_property
    def trusted(self) -> tuple[float, float]:
        """Interval of α in which the path holds: (0, ∞), or above ``−λ_min`` if H is indefinite."""
        below = -float(self.spectrum.eigenvalues.min(initial=0.0))
        return (below + self.spectrum.margin if below > 0 else 0.0), float("inf")

    def weights(self, alpha: ArrayLike) -> NDArray[np.floating]:
        """``w̃(α)``, without intercept, in the unit of the columns (M5).

        Parameters
        ----------
        alpha : scalar or (a,), in [0, inf]
            House units.

        Returns
        -------
        (p,) or (t, p)
            With a leading axis ``a`` for several strengths. O(p k) each; the data are not read.

        Raises
        ------
        InputError
            If a strength is negative, NaN, or too small for an indefinite H.
        """
        strength = self.checked(alpha)
        numerators = self.spectrum.numerators
        k, t = numerators.shape
        C = numerators[:, None, :] * self._inverse(strength.reshape(-1, 1)).T[:, :, None]
        W = self._assemble(C.reshape(k, strength.size * t)).reshape(-1, strength.size, t)
        return self._shaped(np.moveaxis(W, (1, 2), (0, 1)), strength.ndim)

    def combined(self, coordinates: Array) -> Array:
        """A change of the weights ``(p,)`` from coordinates ``(k, 1)``; free weights follow it."""
        fit, free = self.fit, self.spectrum.free
        moved = np.zeros(len(fit.penalty_factor))
        moved[fit.penalised] = fit.scale * self.spectrum.directions.back(coordinates)[:, 0]
        if len(fit.free):
            moved[fit.free] = -(free.onto @ moved[fit.penalised])
        return moved

    def weights_per_target(self, alphas: Array) -> NDArray[np.floating]:
        """``w̃`` of each target at its own strength, ``(t, p)``, for alphas of shape (t,)."""
        C = self._inverse(self.checked(alphas)[:, None]).T
        C *= self.spectrum.numerators
        return self._cast(self._assemble(C).T)

    def intercept(self, alpha: ArrayLike) -> Any:
        """Intercept, ``()`` or ``(t,)``, with a leading axis for ``(a,)``; 0 where none is fitted."""
        return self._intercept(self.weights(alpha))

    def coefficients(self, alphas: Array) -> tuple[NDArray[np.floating], Any]:
        """Weights and intercept of each target at its own strength, for alphas of shape (t,)."""
        weights = self.weights_per_target(alphas)
        weights = weights[0] if self.spectrum.one_target else weights
        return weights, self._intercept(weights)

    def level(self, alpha: float | None = None) -> Any:
        """What is predicted where every column has its mean, ``()`` or ``(t,)``, at any strength."""
        mean = self.sample.target_mean
        return mean[0] if self.spectrum.one_target else mean

    def local(self, alpha: float) -> QuadraticPath:
        """The quadratic at one strength: this one, since the curvature is the same everywhere."""
        return self

    def shrinkage(self, alpha: ArrayLike) -> Array:
        """``λ/(λ+α)``, the share that each direction keeps (M7), ``(k,)`` or ``(a, k)``.

        A flat direction keeps nothing, also at α = 0 (the limit from above). Along negative curvature
        there is no share to state: NaN.
        """
        strength = self.checked(alpha)
        return kept_share(self.spectrum.eigenvalues, strength[..., None])

    def effective_parameters(self, alpha: ArrayLike, penalised_only: bool = False) -> Any:
        """``γ(α) = m + Σ λ/(λ+α)`` (M9), ``()`` or ``(a,)``.

        Free weights and the intercept count with the rank m of their block unless ``penalised_only``.
        """
        free = 0 if penalised_only else self.spectrum.free.rank
        total = free + self.shrinkage(alpha).sum(axis=-1)
        return total if np.ndim(total) else float(total)

    def norm(self, alpha: ArrayLike) -> Any:
        """``‖w̃(α)‖_D = (w̃ᵀDw̃)^½``, shaped like a risk: ``()`` or ``(t,)``, with a leading a."""
        strength = self.checked(alpha)
        inverse = self._inverse(strength.reshape(-1, 1))
        sizes = [np.linalg.norm(numerators * inverse, axis=1) for numerators in self.spectrum.numerators.T]
        return self._risk_shaped(np.stack(sizes, axis=1), strength.ndim)

    def train_loss(self, alpha: ArrayLike) -> Any:
        """Mean training loss ``L(w̃(α)) = RSS_s/2S``, shaped like a risk; NaN without data."""
        strength = self.checked(alpha).reshape(-1, 1)
        values, numerators = self.spectrum.eigenvalues, self.spectrum.numerators
        if self.fit.sample is None:
            loss = np.full((len(strength), numerators.shape[1]), np.nan)
        else:
            lost = 1.0 - kept_share(values, strength)
            loss = 0.5 * (lost**2 @ ((numerators / np.sqrt(values)[:, None]) ** 2) + self.spectrum.outside)
        return self._risk_shaped(loss, np.ndim(alpha))

    def three_steps(self, alpha: float, target: int = 0) -> ThreeSteps:
        """Rotate, scale and rotate back as arrays that a figure can draw (M7)."""
        if target not in range(self.spectrum.numerators.shape[1]):
            raise InputError(f"target is {target}; it counts from 0 up to the last target")

        rotated = np.atleast_2d(self.spectrum.coordinates)[target][:, None]
        scaled = self.shrinkage(alpha)[:, None] * rotated
        back = self.spectrum.directions.back
        return ThreeSteps(back(rotated)[:, 0], rotated[:, 0], scaled[:, 0], back(scaled)[:, 0])

    def project(self, X: Any) -> Iterator[tuple[slice, Array, Array]]:
        """Rows X ``(n, p)``, not weighted, along the directions ``(b, k)``; their free columns ``(b, f)``.

        A prediction is ``target mean + F · offset + V · (numerators/(λ+α))``.
        """
        fit, free = self.fit, self.spectrum.free
        for rows in slices(X.shape[0], BLOCK // X.shape[1]):
            block = X[rows].toarray() if issparse(X) else X[rows]
            Z = block.astype(np.float64) - self.sample.column_mean
            P = Z[:, fit.penalised] - Z[:, fit.free] @ free.onto
            yield rows, self.spectrum.directions.forth((P * fit.scale).T).T, Z[:, fit.free]

    def residual_bound(self, alpha: ArrayLike) -> Any:
        """Bound on the error of the linear algebra, ``‖computed − exact w̃(α)‖_D``, ``()`` or ``(a,)``.

        The residual of the normal equations, taken from the products with H (for squared loss: from
        the data), is solved for with the same spectrum: to first order that *is* the error. Rounding
        of the residual itself is covered by a factor 3, that of the basis by its own term. Several
        targets: the largest. Cost: one pass over the data for all strengths.
        """
        strength = self.checked(alpha)
        flat = strength.reshape(-1)
        bound = np.zeros(flat.size)
        for picked, W, residual in self._residuals(flat):
            a = len(flat[picked])
            k, t = self.spectrum.numerators.shape
            change = self.spectrum.directions.forth(residual.reshape(len(residual), a * t))
            inverse = self._inverse(flat[picked][:, None])
            moved = change.reshape(k, a, t) * inverse.T[:, :, None]
            correction = np.linalg.norm(moved, axis=0)
            bound[picked] = (SAFETY * correction + self._rounding(inverse, W)).max(axis=1, initial=0.0)
        return bound.reshape(strength.shape) if strength.ndim else float(bound[0])

    def certificate(self, alpha: ArrayLike, relative: bool = False) -> Any:
        """Proved bound ``‖ŵ − w̃(α)‖_D ≤ ‖∇L̃_α(ŵ)‖_{D⁻¹}/α`` (M16), ``()`` or ``(a,)``.

        The gradient is taken on the data at ŵ, with the free block solved there; the rounding of ŵ is
        added. ``relative`` divides by ``‖ŵ‖_D``. Infinite at α = 0, NaN where the loss is not known to
        be convex (no data). Several targets: the largest. Cost: one pass over the data for all strengths.
        """
        strength = self.checked(alpha)
        flat = strength.reshape(-1)
        bound = np.full(flat.size, np.nan)
        if self.fit.training is not None and self.fit.loss is not None and self.fit.loss.convex:
            for picked, W, residual in self._residuals(flat):
                size = np.linalg.norm(residual, axis=0)
                with np.errstate(divide="ignore", invalid="ignore"):
                    proved = np.where(flat[picked][:, None] == 0, np.inf, size / flat[picked][:, None])
                    proved = np.where(np.isinf(flat[picked])[:, None], 0.0, proved)
                    proved += (self._epsilon + 8 * EPS) * np.linalg.norm(W, axis=0)
                    share = np.where(proved == 0, 0.0, proved / np.linalg.norm(W, axis=0))
                bound[picked] = (share if relative else proved).max(axis=1, initial=0.0)
        return bound.reshape(strength.shape) if strength.ndim else float(bound[0])

    def _residuals(self, flat: Array) -> Iterator[tuple[slice, Array, Array]]:
        """Strengths, ``D^{½}ŵ`` and ``D^{-½}∇L̃_α(ŵ)`` with free weights solved, ``(p_pen, a, t)``."""
        fit, free = self.fit, self.spectrum.free
        t = self.spectrum.numerators.shape[1]
        for picked in slices(len(flat), 16 * BLOCK // (len(fit.penalty_factor) * t)):
            strength = flat[picked]
            C = self.spectrum.numerators[:, None, :] * self._inverse(strength[:, None]).T[:, :, None]
            W = self._assemble(C.reshape(len(C), len(strength) * t))
            gradient = self._gradient(W, len(strength))
            v = (W[fit.penalised] / fit.scale[:, None]).reshape(len(fit.penalised), len(strength), t)
            slope = gradient[fit.penalised] - free.onto.T @ gradient[fit.free]
            slope = (slope * fit.scale[:, None]).reshape(v.shape)
            weighted = np.where(np.isinf(strength), 0.0, strength)[None, :, None] * v
            yield picked, v, np.where(np.isinf(strength)[None, :, None], 0.0, slope + weighted)

    def _gradient(self, W: Array, a: int) -> Array:
        """``∇L(W)`` for W of shape (p, a·t), on the data where there are any."""
        fit = self.fit
        if fit.training is None or fit.loss is None:
            start = np.tile(fit.weights, (1, a))
            return np.tile(fit.gradient, (1, a)) + fit.curvature.matvec(W - start)
        training, slope = fit.training, fit.loss.slope
        training.unchanged()
        total = training.rows.gradient(
            W, lambda rows, eta: slope(np.tile(training.targets(rows), (1, a)), eta)
        )
        return total / training.table.weight_sum

    def _rounding(self, inverse: Array, V: Array) -> Array:
        """What the residual cannot see: rounding of ŵ, of fitted rows and of directions, ``(a, t)``."""
        values, numerators = self.spectrum.eigenvalues, self.spectrum.numerators
        size = np.linalg.norm(V, axis=0)
        error: Array = self._epsilon * size
        if not len(values):
            return error
        fitted = np.linalg.norm(np.sqrt(values[0] * np.maximum(values, 0.0)) * inverse, axis=1)
        error += NOISE * EPS * fitted[:, None] * size
        if len(values) == len(V):
            return error
        tilt = EPS * np.sqrt(values[0] / np.where(values > 0, values, np.inf))
        error += np.sqrt(inverse**2 @ (numerators * tilt[:, None]) ** 2)
        return error

    @property
    def _epsilon(self) -> float:
        """Relative rounding of the weights that are handed out."""
        return float(np.finfo(self.fit.sample.dtype if self.fit.sample else np.float64).eps)

    def _inverse(self, strength: Array) -> Array:
        """``1/(λ+α)`` for strengths (..., 1), ``(..., k)``; flat directions without slope give 0."""
        values = self.spectrum.eigenvalues
        total = values + strength
        flat = (total == 0) & ~np.any(self.spectrum.numerators != 0, axis=1)
        if np.any((total == 0) & ~flat):
            raise InputError(
                "alpha = 0 has no minimum: the loss falls without end along a flat direction; "
                "every alpha > 0 has one"
            )
        total[flat] = np.inf
        return np.divide(1.0, total, out=total)

    def _assemble(self, C: Array) -> Array:
        """Weights ``(p, m)`` from coordinates ``(k, m)``: rotate back, rescale, solve the free block."""
        fit, free = self.fit, self.spectrum.free
        V = self.spectrum.directions.back(C)
        if np.any(fit.scale != 1.0):
            V *= fit.scale[:, None]
        if len(V) == len(fit.penalty_factor):
            return V
        W = np.zeros((len(fit.penalty_factor), C.shape[1]))
        W[fit.penalised] = V
        if len(fit.free):
            offset = np.tile(free.offset, (1, C.shape[1] // max(1, free.offset.shape[1])))
            W[fit.free] = offset - free.onto @ W[fit.penalised]
        return W

    def checked(self, alpha: ArrayLike, least: float | None = None) -> Array:
        """Strengths as an array, refused where there is no solution: up to ``least``, or ``−λ_min``."""
        strength, low = some_strengths(alpha), self.trusted[0]
        least = low if least is None else least
        if low > 0 and strength.min() <= least:
            raise InputError(
                f"alpha = {strength.min():g} has no minimum: the curvature goes down to {-low:g}, so that "
                f"every alpha > {least:g} has one; or give a Gauss-Newton matrix, which has no negative part"
            )
        return strength

    def _intercept(self, weights: NDArray[np.floating]) -> Any:
        result = self.level() - weights.astype(np.float64) @ self.sample.column_mean
        return result if np.ndim(result) else float(result)

    def _cast(self, values: Array) -> NDArray[np.floating]:
        sample = self.fit.sample
        return values if sample is None else values.astype(sample.dtype, copy=False)

    def _shaped(self, W: Array, axes: int) -> NDArray[np.floating]:
        W = W[:, 0] if self.spectrum.one_target else W
        return self._cast(W if axes else W[0])

    def _risk_shaped(self, values: Array, axes: int) -> Any:
        return squeeze(values, axes, self.spectrum.one_target)
