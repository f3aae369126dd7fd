"""A risk curve: continuous in log α, with its derivative and its minimum over [0, ∞]."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigenshrink.errors import InputError
from eigenshrink.path import Path, QuadraticPath, squeeze
from eigenshrink.penalty import some_strengths, strengths
from eigenshrink.risk.minimum import SPACING, Evaluate, Minimum, minimise
from eigenshrink.risk.uncertainty import (
    WIDTH,
    Piece,
    Units,
    equivalent,
    optimism_of_minimum,
    paired,
)

Array = NDArray[np.float64]
AnyPath = TypeVar("AnyPath", bound=Path)

LOSS_UNIT = "half mean squared error"
ENDS = 1.0 + 1e-3  # times the weakest strength, up to which an optimum lies at that end
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
    units : Units or None
        What each unit that is left out adds to the curve; None: it is no such sum.
    estimate : RiskCurve or None
        The estimate of the true error that goes with a criterion in another unit; None: this one, if any.
    drop : float or None
        Rise of a likelihood within which strengths cannot be told apart; None: it is no likelihood.
    seed : int
        Of the bootstrap of the minimum.
    lowest : float
        The weakest strength that there is: what the limit α → 0 stands for.
    spacing : float
        Of the samples, in log α, that show every valley.
    edges : (low, high)
        Strengths between which the curve is believed (M18): an optimum at one of them is at the boundary
        "trusted", unless that is 0 or ∞.
    """

    name: str
    unit: str
    evaluate: Evaluate = field(repr=False)
    span: tuple[float, float] | None
    targets: int
    one_target: bool
    flat_limit: NDArray[np.bool_]
    chosen: Callable[[], Array] | None = field(default=None, repr=False)
    units: Units | None = field(default=None, repr=False)
    estimate: RiskCurve | None = field(default=None, repr=False)
    drop: float | None = None
    seed: int = 0
    lowest: float = 0.0
    spacing: float = SPACING
    edges: tuple[float, float] = (0.0, float("inf"))

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
        found = minimise(self.evaluate, self.span, self.targets, self.flat_limit, self.spacing)
        if self.lowest > 0:  # the limit α → 0 is the weakest strength there is
            found = replace(
                found,
                alpha=np.maximum(found.alpha, self.lowest),
                boundary=np.where(found.alpha <= self.lowest * ENDS, "zero", found.boundary),
            )
        alpha = np.clip(found.alpha, *self.edges)  # an edge that went through its logarithm
        found = replace(found, alpha=alpha, boundary=at_edge(alpha, self.edges, found.boundary))
        return found.first() if self.one_target else found

    @cached_property
    def pooled(self) -> RiskCurve:
        """The sum over targets, as a curve of one target: one strength for all."""
        units, t = self.units, self.targets

        def total(alphas: Array, slopes: bool) -> tuple[Array, Array]:
            values, steep = self.evaluate(alphas, slopes)
            with np.errstate(invalid="ignore"):  # ∞ − ∞: no strength is both
                return values.sum(axis=1, keepdims=True), steep.sum(axis=1, keepdims=True)

        def parts(reference: Array, alphas: Array) -> Iterator[Piece]:
            for copies, first, rest in (units or _no_units)(np.repeat(reference, t), alphas):
                yield copies, first.sum(axis=1, keepdims=True), (p.sum(axis=1, keepdims=True) for p in rest)

        if t == 1:
            return replace(self, one_target=True)
        return replace(
            self,
            evaluate=total,
            targets=1,
            one_target=True,
            flat_limit=np.array([self.flat_limit.all()]),
            units=None if units is None else parts,
            estimate=None if self.estimate is None else self.estimate.pooled,
            chosen=None,
        )

    def standard_error(self, alpha: ArrayLike | None = None) -> Any:
        """Paired standard error of ``R(α) − R(best)``, shaped as the value (M15); None: not defined.

        Over the units that leave one at a time: rows, copies of rows, or groups. Costs one pass over the
        rows for all strengths.
        """
        units = self._compared
        if units is None:
            return None
        axes, alphas = self._strengths(alpha)
        return squeeze(paired(units, self._best, alphas)[1], axes, self.one_target)

    @property
    def has_interval(self) -> bool:
        """Whether strengths that cannot be told from the best are defined."""
        return self.units is not None or self.drop is not None

    @cached_property
    def interval(self) -> Any:
        """Strengths that cannot be told from the best, ``(low, high)`` or ``(t, 2)`` (M15); None: undefined.

        Where ``R(α) − R(best)`` is at most 1.96 of its paired standard errors, or 1.92 of a log
        likelihood. Ends are 0 and ∞ where the limits cannot be told from the best.
        """
        if not self.has_interval or (self.drop is None and self._compared is None):
            return None
        ends = np.maximum(equivalent(self._excess, self.span, self._best), self.lowest).clip(*self.edges)
        return (float(ends[0, 0]), float(ends[0, 1])) if self.one_target else ends

    @cached_property
    def optimism(self) -> Any:
        """How much too good the minimum looks because it was picked, ``()``, ``(t,)`` or None."""
        if self.estimate is not None:
            return self.estimate.optimism
        units = self._compared
        if units is None or self.span is None:
            return None
        rng = np.random.default_rng([self.seed, 2])
        found = optimism_of_minimum(units, self._best, self.span, rng)
        return float(found[0]) if self.one_target else found

    @cached_property
    def _compared(self) -> Units | None:
        """The units, where no target's error is infinite at every strength."""
        lowest = np.atleast_1d((self.estimate or self).minimum.value)
        return self.units if np.all(np.isfinite(lowest)) else None

    @property
    def _best(self) -> Array:
        return np.atleast_1d(np.asarray(self.minimum.alpha, dtype=np.float64))

    def _excess(self, alphas: Array) -> Array:
        """Rise above the minimum beyond what cannot be told apart; not finite: it can be told."""
        with np.errstate(invalid="ignore"):
            if self._compared is None:
                rise = self.evaluate(alphas, slopes=False)[0] - np.atleast_1d(self.minimum.value)
                beyond = rise - np.float64(self.drop or 0.0)
            else:
                rise, error = paired(self._compared, self._best, alphas)
                beyond = rise - WIDTH * error
        return np.where(np.isnan(beyond), np.inf, beyond)

    def _strengths(self, alpha: ArrayLike | None) -> tuple[int, Array]:
        """Number of axes that strengths add, and strengths as ``(m, 1)`` or, as chosen, ``(1, t)``."""
        if alpha is None:
            if self.chosen is None:
                raise InputError("this curve belongs to no study: give it a strength, curve(alpha)")
            return 0, self.chosen()[None, :]
        strength = some_strengths(alpha)
        if strength.size and strength.min() < self.lowest:
            raise InputError(
                f"alpha = {strength.min():g} has no solution that could be given (are the rows separated?): "
                f"this curve begins at alpha = {self.lowest * 1.00001:.6g}"
            )
        return strength.ndim, strength.reshape(-1, 1)

    def _shaped(self, alpha: ArrayLike | None, derivative: bool) -> Any:
        axes, alphas = self._strengths(alpha)
        values, slopes = self.evaluate(alphas, slopes=derivative)
        result = slopes if derivative else values
        return squeeze(np.broadcast_to(result, (len(alphas), self.targets)), axes, self.one_target)


def at_edge(alpha: Array, edges: tuple[float, float], otherwise: Any) -> NDArray[np.str_]:
    """Call a strength at an edge of what is believed "trusted", and any other what it was called."""
    low, high = edges
    there = (low > 0) & (alpha <= low * ENDS) | np.isfinite(high) & (alpha >= high / ENDS)
    return np.where(there, "trusted", otherwise)


def covers(low: float, high: float, edges: tuple[float, float]) -> bool:
    """Whether an interval of strengths is all of what is believed: both its edges, not one twice."""
    bottom, top = edges
    return bool(low <= bottom * ENDS and high >= top / ENDS)


def once(criterion: Callable[[AnyPath], RiskCurve]) -> Callable[[AnyPath], RiskCurve]:
    """A criterion that others build on: one curve per path, whose last answers they share."""

    @wraps(criterion)
    def make(path: AnyPath) -> RiskCurve:
        if criterion.__name__ not in path.made:
            curve = criterion(path)
            path.made[criterion.__name__] = replace(curve, evaluate=remembered(curve.evaluate))
        found: RiskCurve = path.made[criterion.__name__]
        return found

    return make


def loss_curve(
    name: str,
    path: QuadraticPath,
    evaluate: Evaluate,
    span: tuple[float, float] | None,
    units: Units | None = None,
) -> RiskCurve:
    """Make a curve in the unit of the loss; ``units`` say what each left-out unit adds."""
    targets = path.spectrum.numerators.shape[1]
    splits = None if path.fit.training is None else path.fit.training.splits
    return RiskCurve(
        name,
        LOSS_UNIT,
        evaluate,
        span,
        targets,
        path.spectrum.one_target,
        flat_limit=np.zeros(targets, dtype=bool),
        units=units,
        seed=0 if splits is None else splits.seed,
    )


def _no_units(reference: Array, alphas: Array) -> Iterator[Piece]:
    yield from ()


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
