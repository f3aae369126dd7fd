"""The path of a model whose curvature is known by its products: one Krylov space for every strength (M19)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigenshrink.errors import InputError
from eigenshrink.fit import Fit, Sample
from eigenshrink.models.loss import Loss
from eigenshrink.models.squared import SQUARED
from eigenshrink.path.calibration import Calibration
from eigenshrink.path.hypergradient import Hypergradient, hypergradient
from eigenshrink.path.measured import Layer, Linearised, Measure, Measured, MeasuresRows, TrainingNotes
from eigenshrink.path.quadratic import QuadraticPath
from eigenshrink.path.steps import ThreeSteps
from eigenshrink.path.trust import trusted_range
from eigenshrink.penalty import some_strengths
from eigenshrink.spectrum import Spectrum
from eigenshrink.spectrum.sums import Estimate, Sums

Array = NDArray[np.float64]

TRUST = 0.2  # relative error of the predicted change of the loss up to which it is believed (M18)


@dataclass(frozen=True, eq=False)
class KrylovPath:
    """``w̃(α) = w₀ − (H + tD)⁻¹(g + tDw₀)`` for any α, from products with H (M5, M19).

    A quadratic model of a loss that is none. How far it holds is measured (:attr:`trusted`), and so is the
    place t on the path that belongs to a strength α (:attr:`calibration`): ``t = α`` of a quadratic, and at
    ``α₀``. Everything below is by α: shares are ``λ/(λ + t)``, as if the curvature had grown by ``α/t``.

    Attributes
    ----------
    fit : Fit
        Where the training stopped; its curvature is known by products.
    quadratic : QuadraticPath
        The path inside the Krylov space, or inside the whole space where that was decomposed.
    bound : callable or None
        From strengths ``(a,)`` to bounds on ``‖computed − exact w̃(α)‖_D``; None: that of the quadratic.
    make_sums : callable
        Makes the sums over all directions when they are first asked for.
    layers : tuple of Layer
    start_loss : float
        ``L(w₀)``.
    measure : Measure or None
        The true losses; None: they are not at hand.
    tolerance : float
        Of M18: relative error of the predicted change of L up to which the path is trusted.
    measured : Measured or None
        True losses along the path, around ``α₀`` (M18); None where there was nothing to measure with.
    calibration : Calibration
        Which place of the path belongs to which strength.
    notes : TrainingNotes
        How it was trained.
    slopes : Hypergradient or None
        The slopes of a path that was read from a file.
    rested : bool
        The path goes through ``w₀`` at ``α₀``, although the training had not come to rest there.
    """

    fit: Fit
    quadratic: QuadraticPath
    bound: Callable[[Array], Array] | None
    make_sums: Callable[[], Sums]
    layers: tuple[Layer, ...] = ()
    start_loss: float = float("nan")
    measure: Measure | None = None
    tolerance: float = TRUST
    measured: Measured | None = None
    calibration: Calibration = field(default_factory=Calibration)
    notes: TrainingNotes = field(default_factory=TrainingNotes)
    slopes: Hypergradient | None = None
    rested: bool = False

    whole = True  # directions can be looked at: those of the Krylov space
    outputs = 1
    outputs_apart = 1
    one_target = True
    lowest = 0.0
    separation = ""

    @cached_property
    def made(self) -> dict[str, Any]:
        """What was made of this path and is used by several, by name."""
        return {}

    @property
    def sample(self) -> Sample:
        """What is known of the data."""
        if self.fit.sample is None:
            raise InputError("this path has no data, so the true error cannot be estimated")
        return self.fit.sample

    @property
    def loss(self) -> Loss:
        """What is minimised."""
        return self.fit.loss or SQUARED

    @property
    def squares(self) -> bool:
        """L is a mean of squared errors, in whatever unit."""
        known = self.loss.known_dispersion or not np.isfinite(self.sample.weight_sum)
        return self.loss.value is SQUARED.value and not known

    @property
    def spectrum(self) -> Spectrum:
        """Ritz values and directions: the leading ones are eigenvalues."""
        return self.quadratic.spectrum

    @cached_property
    def sums(self) -> Sums:
        """Sums over all directions: γ, log-determinants, density."""
        return self.make_sums()

    @property
    def free_rank(self) -> int:
        """m: the rank of what is free."""
        return self.quadratic.free_rank

    @cached_property
    def uncalibrated(self) -> KrylovPath:
        """The same by the quadratic's own strengths t."""
        if self.calibration.trivial:
            return self
        found = None if self.measured is None else replace(self.measured, alphas=self.measured.places)
        return replace(self, measured=found, calibration=Calibration(), make_sums=lambda: self.sums)

    @property
    def unsettled(self) -> Array:
        """ρ where the path goes through ``w₀``, which takes it for noise, ``(p,)``; 0 elsewhere."""
        ignored: Array = (self.fit.gradient - self.quadratic.fit.gradient)[:, 0]
        return ignored

    @cached_property
    def least(self) -> float:
        """The strength above which there is a minimum: 0 without negative curvature."""
        return float(self.calibration.strength(self.quadratic.trusted[0]))

    @property
    def scales(self) -> tuple[float, float] | None:
        """Log of the least and largest strength at which a direction fades; None: nothing is curved."""
        if self.quadratic.span is None:
            return None
        low, high = np.log(self.calibration.strength(np.exp(self.quadratic.span)))
        return float(low), float(high)

    @property
    def span(self) -> tuple[float, float] | None:
        """Ends in log α of the trusted range, where strengths are compared; None: nothing is penalised."""
        if not len(self.fit.penalised) or self.scales is None:
            return None
        low, high = self.trusted
        if not low < high:
            return None
        bottom, top = self.scales
        start = np.log(self.fit.alpha) if self.fit.alpha > 0 else bottom
        low = np.log(low) if low > 0 else min(bottom, start) - 2.0
        high = np.log(high) if np.isfinite(high) else max(top, start) + 2.0
        return (float(low), float(high)) if high > low else None

    @property
    def available_risks(self) -> tuple[str, ...]:
        """Names of the estimates of the true error that this path allows (M14)."""
        if self.fit.sample is None:
            return ()
        judged = self.span is not None and self.measured is not None and self.measured.validation is not None
        whole = self.least == 0.0 and self.span is not None
        known = {
            "loo": whole and self.bound is None and self.uncalibrated.linearised is not None,
            "gcv": whole and self.squares,
            "evidence": whole and bool(np.isfinite(self.sample.weight_sum)),
            "validation": judged,
            "train": True,
            "misclassified": judged and self.measured is not None and self.measured.wrong is not None,
        }
        return tuple(name for name, there in known.items() if there)

    @cached_property
    def trusted(self) -> tuple[float, float]:
        """The largest interval around α₀ in which the true loss is as the path has it (M18)."""
        if self.calibration.trivial:
            return trusted_range(self)
        ends = self.uncalibrated.trusted
        low, high = self.calibration.strength(ends) if ends[0] < ends[1] else ends
        start = self.fit.alpha or float(low)  # exp(log α₀) is only nearly α₀
        return min(float(low), start), max(float(high), start)

    @cached_property
    def linearised(self) -> Linearised | None:
        """Outputs of all rows as functions of the weights; None: the model is too large for that."""
        return self.measure.linearised() if isinstance(self.measure, MeasuresRows) else None

    @cached_property
    def hypergradient(self) -> Hypergradient | None:
        """Slope of the validation loss in log α, whole and by layer (M13); None: nothing judges."""
        return self.slopes if self.measure is None else hypergradient(self.uncalibrated)

    def weights(self, alpha: ArrayLike) -> NDArray[np.floating]:
        """``w̃(α)``, flat, ``(p,)`` or ``(a, p)`` (M5)."""
        return self.quadratic.weights(self.place(alpha))

    def intercept(self, alpha: ArrayLike) -> Any:
        """0: the biases of a network are among its weights."""
        return np.zeros(np.shape(alpha)) if np.ndim(alpha) else 0.0

    def level(self, alpha: float | None = None) -> Any:
        """Refuse: a network has no columns whose means could be taken."""
        raise InputError("a network predicts by itself: study.apply_(model, alpha), then model(inputs)")

    def coefficients(self, alphas: Array) -> tuple[NDArray[np.floating], Any]:
        """Weights at the strength ``(1,)`` that was chosen, and 0."""
        return self.weights(float(alphas[0])), 0.0

    def local(self, alpha: float) -> QuadraticPath:
        """The quadratic at ``w₀``, its curvature grown so that its own path leads through ``w̃(α)`` (M4)."""
        bend, own = float(self.calibration.bend(alpha)), self.quadratic
        if bend == 1.0:
            return own
        values, numerators = bend * own.spectrum.eigenvalues, bend * own.spectrum.numerators
        return QuadraticPath(own.fit, replace(own.spectrum, eigenvalues=values, numerators=numerators))

    def shrinkage(self, alpha: ArrayLike) -> Array:
        """``λ/(λ+t)`` of the directions that are known, ``(k,)`` or ``(a, k)`` (M7)."""
        return self.quadratic.shrinkage(self.place(alpha))

    def effective_parameters(self, alpha: ArrayLike, penalised_only: bool = False) -> Any:
        """``γ = m + Σ λ/(λ+t)`` over all directions (M9, M19), ``()`` or ``(a,)``."""
        total = (0 if penalised_only else self.free_rank) + self.effective_estimate(alpha).value
        return total if np.ndim(alpha) else float(total[0])

    def effective_estimate(self, alpha: ArrayLike) -> Estimate:
        """The same without m, with its standard error and interval, ``(a,)`` each."""
        return self.sums.shares(np.atleast_1d(self.place(alpha)))

    def effective_by_layer(self, alpha: ArrayLike) -> Array:
        """γ of each layer without free weights, ``(l,)`` or ``(a, l)``."""
        each = self.sums.layers(np.atleast_1d(self.place(alpha)))
        return each if np.ndim(alpha) else each[0]

    def density(self, edges: Array, alpha: float) -> Array:
        """Directions between edges, on the scale of the curvature that counts at α, ``(e − 1,)``."""
        return np.asarray(self.sums.density(edges / float(self.calibration.bend(alpha))), dtype=np.float64)

    def norm(self, alpha: ArrayLike) -> Any:
        """``‖w̃(α)‖_D``, ``()`` or ``(a,)``."""
        return self.quadratic.norm(self.place(alpha))

    def train_loss(self, alpha: ArrayLike) -> Any:
        """``L(w̃(α))`` as the quadratic predicts it (M4), ``()`` or ``(a,)``."""
        return self.start_loss + self.predicted_change(alpha)

    def predicted_change(self, alpha: ArrayLike) -> Any:
        """``gᵀh + ½hᵀHh`` with ``h = w̃(α) − w₀`` (M4), ``()`` or ``(a,)``."""
        at = self.place(alpha)
        values, numerators = self.spectrum.eigenvalues, self.spectrum.numerators[:, 0]
        total = values + at[..., None]
        place = np.divide(numerators, total, out=np.zeros(total.shape), where=total != 0)
        moved = np.where(np.isinf(at[..., None]), -self.start, place - self.start)
        change = moved @ self._steepness + 0.5 * moved**2 @ values - 0.5 * self._freed
        return change if at.ndim else float(change)

    def slope(self, alpha: float) -> Array:
        """``dw̃/d log α``, ``(p,)``: ``−t(H + tD)⁻¹Dw̃`` (M13) for each d log t."""
        at = float(self.place(alpha))
        values, numerators = self.spectrum.eigenvalues, self.spectrum.numerators
        with np.errstate(divide="ignore", invalid="ignore"):
            steep = np.where(values + at == 0, 0.0, -at / (values + at) ** 2)
        steep = steep * self.calibration.rate(alpha)
        return self.quadratic.combined(steep[:, None] * numerators)

    def residual_bound(self, alpha: ArrayLike) -> Any:
        """Bound on ``‖computed − exact w̃(α)‖_D`` of the quadratic model, ``()`` or ``(a,)`` (M19)."""
        at = self.place(alpha)
        if self.bound is None:
            return self.quadratic.residual_bound(at)
        found = self.bound(np.atleast_1d(at))
        return found if np.ndim(alpha) else float(found[0])

    def certificate(self, alpha: ArrayLike, relative: bool = False) -> Any:
        """NaN: nothing is proved of a loss that is not convex (M16)."""
        at = self.place(alpha)
        return np.full(at.shape, np.nan) if at.ndim else float("nan")

    def three_steps(self, alpha: float, target: int = 0) -> ThreeSteps:
        """Rotate, scale and rotate back, in the directions that are known (M7)."""
        return self.quadratic.three_steps(float(self.place(alpha)), target)

    def checked(self, alpha: ArrayLike) -> Array:
        """Strengths as an array, refused where there is no solution."""
        self.place(alpha)
        return some_strengths(alpha)

    def place(self, alpha: ArrayLike) -> Array:
        """The place t of strengths, which are refused where there is no solution."""
        return self.calibration.place(self.quadratic.checked(alpha, self.least))

    @cached_property
    def _freed(self) -> float:
        """``g_Fᵀ H_FF⁺ g_F``: twice what the free weights gain by going to their own optimum."""
        fit, free = self.quadratic.fit, self.spectrum.free
        if self.rested or not len(fit.free):
            return 0.0
        moved = fit.weights[fit.free] + free.onto @ fit.weights[fit.penalised] - free.offset
        return float((fit.gradient[fit.free] * moved).sum())

    @cached_property
    def _steepness(self) -> Array:
        """``Qᵀ D^{-½} g_S``: slope of the loss along each direction at ``w₀``, ``(k,)``."""
        spectrum, fit = self.spectrum, self.fit
        if not self.rested:
            known: Array = spectrum.eigenvalues * self.start - spectrum.numerators[:, 0]
            return known
        slope = fit.gradient[fit.penalised]
        if len(fit.free):
            slope = slope - spectrum.free.onto.T @ fit.gradient[fit.free]
        found: Array = spectrum.directions.forth(fit.scale[:, None] * slope)[:, 0]
        return found

    @cached_property
    def start(self) -> Array:
        """``Qᵀ D^{½} w₀``, ``(k,)``."""
        fit = self.quadratic.fit
        found: Array = self.spectrum.directions.forth(fit.weights[fit.penalised] / fit.scale[:, None])[:, 0]
        return found
