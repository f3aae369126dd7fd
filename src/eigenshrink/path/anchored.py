"""The path where the loss is not quadratic: anchors, what lies between them, and its proof (M16, M17)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigenshrink.data.checks import Table
from eigenshrink.data.splits import Splits
from eigenshrink.errors import InputError
from eigenshrink.fit import Fit, Sample
from eigenshrink.models.loss import Loss
from eigenshrink.newton.anchors import Anchor, Anchors, descend
from eigenshrink.newton.between import Solved, certify
from eigenshrink.newton.design import make_design
from eigenshrink.newton.nodes import Nodes
from eigenshrink.newton.problem import Problem
from eigenshrink.newton.response import Response
from eigenshrink.newton.solutions import Solutions
from eigenshrink.path.effective import Probed, Shares
from eigenshrink.path.local import local_path, weights_gradient
from eigenshrink.path.quadratic import QuadraticPath
from eigenshrink.path.steps import ThreeSteps
from eigenshrink.penalty import some_strengths
from eigenshrink.spectrum.triangular import EPS

Array = NDArray[np.float64]

LOCALS = 4  # local quadratics that are kept
ROUNDED_UP = 1.00001  # the lowest strength as it is printed is never below it
LOOSEST = 1e-4  # error of the anchors, however loose the tolerance between them is
SAFETY = 3.0  # the residual is as noisy as it is large, so its correction is tripled


@dataclass(frozen=True, eq=False)
class AnchoredPath:
    """``w̃(α)`` for any α in ``[lowest, ∞]``, solved at anchors and proved at every strength asked for.

    Between anchors: cubic Hermite in log α, then Newton steps until the certificate keeps ``tolerance``.

    Attributes
    ----------
    fit : Fit
        The data and the loss.
    problem : Problem
        The same in coordinates.
    anchors_ : Anchors
    tolerance : float
        Relative error in ``‖·‖_D`` that is kept wherever rounding allows it.
    """

    fit: Fit
    problem: Problem
    anchors_: Anchors
    tolerance: float

    @cached_property
    def made(self) -> dict[str, Any]:
        """What was made of this path and is used by several, by name."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("fit", "problem", "anchors_", "tolerance")}

    @property
    def sample(self) -> Sample:
        """What is known of the data."""
        assert self.fit.sample is not None
        return self.fit.sample

    @property
    def loss(self) -> Loss:
        """What is minimised."""
        return self.problem.response.loss

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        """Strengths that were solved for themselves, weakest first, all in (0, ∞)."""
        return self.anchors_.between

    @property
    def one_target(self) -> bool:
        """Results carry no target axis."""
        return self.problem.response.classes > 1 or self.table.one_target

    @property
    def free_rank(self) -> int:
        """m: the rank of what is free, the intercept included, over all classes."""
        return self.problem.design.rank * self.problem.shape[0]

    @property
    def whole(self) -> bool:
        """Whether its curvature can be looked at as a matrix: not of hundreds of classes."""
        return self.problem.whole

    @property
    def outputs_apart(self) -> int:
        """o, one less than classes."""
        return self.problem.shape[0]

    outputs = 1  # targets: one strength and one risk, also for several classes

    @property
    def table(self) -> Table:
        """The checked data."""
        assert self.fit.training is not None
        return self.fit.training.table

    @property
    def splits(self) -> Splits:
        """Which rows leave together."""
        assert self.fit.training is not None
        assert self.fit.training.splits is not None
        return self.fit.training.splits

    @property
    def available_risks(self) -> tuple[str, ...]:
        """Names of the estimates of the true error that this path allows (M14)."""
        splits, whole = self.splits, self.problem.whole
        scaled = whole and (self.loss.known_dispersion or self.sample.observations > self.problem.dim)
        known = {
            "combined": scaled,
            "loo": whole,
            "leave_group_out": whole and splits.groups is not None,
            "kfold": True,
            "cp": scaled,
            "evidence": scaled,
            "validation": splits.holdout is not None,
            "train": True,
            "optimism": whole,
            "misclassified": self.loss.classes > 0,
        }
        return tuple(name for name, there in known.items() if there)

    @cached_property
    def span(self) -> tuple[float, float] | None:
        """Ends in log α between which the path moves; None: it does not."""
        if not self.anchors:
            return None
        low, high = float(self.anchors_.places[0]), float(self.anchors_.places[-1])
        return low, max(high, low + 1.0)

    @property
    def lowest(self) -> float:
        """The weakest strength that has a solution; 0 where the loss alone has one."""
        return 0.0 if self.anchors_.zero is not None or not self.anchors else self.anchors[0].alpha

    @cached_property
    def separation(self) -> str:
        """Whether α → 0 has no finite solution: "complete" (every row is on its side), "quasi" or ""."""
        if self.lowest == 0.0:
            return ""
        point = self.anchors[0].point
        return "complete" if point.problem.response.separated(point.eta) else "quasi"

    @cached_property
    def trusted(self) -> tuple[float, float]:
        """Interval of α in which the tolerance is kept; below it rounding is larger (M18)."""
        if not self.anchors:
            return 0.0, float("inf")
        return max(self.lowest, self._solutions.kept_from()), float("inf")

    def weights(self, alpha: ArrayLike) -> NDArray[np.floating]:
        """``w̃(α)`` without intercept, in the unit of the columns: ``(p,)`` or ``(c, p)``.

        Parameters
        ----------
        alpha : scalar or (a,), in [lowest, inf]
            House units; ``(a,)`` adds a leading axis. New ones cost a few passes over the rows together.

        Raises
        ------
        InputError
            If a strength is negative, NaN, or below :attr:`lowest`.
        """
        return self.shaped(self._weights(alpha)[0], np.ndim(alpha))

    def intercept(self, alpha: ArrayLike) -> Any:
        """Intercept, ``()`` or ``(c,)``, with a leading axis for ``(a,)``; 0 where none is fitted."""
        result = self.shaped(self._weights(alpha)[1], np.ndim(alpha))
        return result if np.ndim(result) else float(result)

    def coefficients(self, alphas: Array) -> tuple[NDArray[np.floating], Any]:
        """Weights and intercept at the strength ``(1,)`` that was chosen, shaped as for a scalar one."""
        return self.weights(float(alphas[0])), self.intercept(float(alphas[0]))

    def level(self, alpha: float) -> Any:
        """The linear predictor where every column has its mean, ``()`` or ``(c,)``, without offset."""
        W, b = self._weights(alpha)
        result = self.shaped(b + W @ self.problem.design.centre, 0)
        return result if np.ndim(result) else float(result)

    def shrinkage(self, alpha: ArrayLike) -> Array:
        """``λ/(λ+α)`` with the curvature at w̃(α), ``(k,)`` or ``(a, k)`` (M7); see the error of γ."""
        strength = self.checked(alpha)
        each = [self._used.each(value)[0] for value in strength.ravel()]
        return np.reshape(each, (*strength.shape, -1)) if each else np.zeros((0, 0))

    def effective_parameters(self, alpha: ArrayLike, penalised_only: bool = False) -> Any:
        """``γ(α) = m + Σ λ/(λ+α)`` (M9) with the curvature at w̃(α), ``()`` or ``(a,)``.

        Exact at anchors; between them λ/(λ+α) is interpolated in the curvature, never in α. An estimate for
        so many classes that their curvature is no matrix.
        """
        free = 0 if penalised_only else self.free_rank
        strength = self.checked(alpha)
        total = np.array([free + self._used.total(value)[0] for value in strength.ravel()])
        return total.reshape(strength.shape) if strength.ndim else float(total[0])

    def effective_parameters_error(self, alpha: ArrayLike) -> Any:
        """How far γ may be off: its difference to a cubic's through four anchors, or a t-interval's half."""
        strength = self.checked(alpha)
        error = np.array([self._used.total(value)[1] for value in strength.ravel()])
        return error.reshape(strength.shape) if strength.ndim else float(error[0])

    def norm(self, alpha: ArrayLike) -> Any:
        """``‖w̃(α)‖_D``, ``()`` or ``(a,)``, over all classes."""
        return self._scalars(alpha, lambda solved: solved.length)

    def train_loss(self, alpha: ArrayLike) -> Any:
        """Mean training loss ``L(w̃(α))``, ``()`` or ``(a,)``."""
        return self._scalars(alpha, lambda solved: solved.loss)

    def certificate(self, alpha: ArrayLike, relative: bool = False) -> Any:
        """Proved bound ``‖ŵ − w̃(α)‖_D ≤ ‖∇L̃_α(ŵ)‖_{D⁻¹}/α`` (M16), ``()`` or ``(a,)``.

        The gradient is taken on the data at ŵ with the free block solved there; its rounding and that of ŵ
        are added. ``relative`` divides by ``‖ŵ‖_D``. Infinite at α = 0, NaN where the loss is not convex.
        """
        strength = self.checked(alpha)
        bound = self._bound(self._solve(strength.ravel()), strength.ravel(), relative)
        return bound.reshape(strength.shape) if strength.ndim else float(bound[0])

    def certify(self, weights: ArrayLike, alpha: float) -> float:
        """The certificate of anybody's weights ``(p,)`` or ``(c, p)`` at α: free ones are solved first."""
        if not self.loss.convex or not 0 < alpha < np.inf:
            return float("nan") if not self.loss.convex else float("inf" if alpha == 0 else 0)
        W = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        contrasts, m = self.problem.response.contrasts, self.problem.design.rank
        v, outside = self.problem.design.coordinates(W)
        theta = self.near(alpha).theta.copy()
        theta[:, m:] = contrasts.T @ v
        moved = np.linalg.norm(v - contrasts @ theta[:, m:]) ** 2 + outside @ outside
        solved = certify(self.problem, self.anchors_, theta[None], np.array([alpha]))
        return float(np.sqrt((solved.residual[0] / alpha) ** 2 + moved))

    def proved_interval(self, alpha: float) -> tuple[float, float]:
        """Strengths for which w̃(α) itself is proved to the tolerance by the one gradient at α (M16).

        With ŵ fixed the gradient at another strength α' is at most ``‖∇L̃_α‖ + |α' − α| ‖v‖``.
        """
        solved = self._solve(self.checked(alpha).ravel())
        length, residual = float(solved.length[0]), float(solved.residual[0])
        if not 0 < alpha < np.inf or not self.loss.convex or length == 0:
            return (alpha, alpha)
        share = residual / (alpha * length)
        if share > self.tolerance:
            return (alpha, alpha)
        return alpha * (1.0 + share) / (1.0 + self.tolerance), alpha * (1.0 - share) / (1.0 - self.tolerance)

    def residual_bound(self, alpha: ArrayLike) -> Any:
        """Error of the solution to first order, ``‖(H+αE)⁻¹∇L̃_α(ŵ)‖`` tripled, ``()`` or ``(a,)``."""
        strength = self.checked(alpha)
        flat = strength.ravel()
        solved = self._solve(flat)
        least = np.array([self._least_curvature(value) for value in flat])
        with np.errstate(divide="ignore", invalid="ignore"):
            error = SAFETY * solved.residual / (least + flat) + self._epsilon * solved.length
        error = np.where(np.isinf(flat), 0.0, error)
        return error.reshape(strength.shape) if strength.ndim else float(error[0])

    def local(self, alpha: float) -> QuadraticPath:
        """The quadratic at w̃(α), its curvature frozen there: directions, shares, planes (M4, M7).

        Classes stand one after the other in its weights. It holds no rows.
        """
        kept: dict[float, QuadraticPath] = self.made.setdefault("local", {})
        if alpha not in kept:
            while len(kept) >= LOCALS:
                kept.pop(next(iter(kept)))
            kept[alpha] = local_path(self.fit, self.near(alpha), alpha)
        return kept[alpha]

    def three_steps(self, alpha: float, target: int = 0) -> ThreeSteps:
        """Rotate, scale and rotate back in the quadratic at w̃(α) (M7)."""
        return self.local(alpha).three_steps(alpha, target)

    def point(self, alpha: float) -> Any:
        """The solution at one strength with the predictors of the rows there."""
        return self.near(alpha).point

    def near(self, alpha: float) -> Anchor:
        """The path at one strength, with its exact curvature."""
        known = {anchor.alpha: anchor for anchor in self.anchors_.all}
        if alpha in known or not self.anchors:
            return known.get(alpha, self.anchors_.infinite)
        point = self.problem.at(self._solve(self.checked(alpha).ravel()).theta[0])
        return Anchor(float(alpha), point, point.curvature)

    def _weights(self, alpha: ArrayLike) -> tuple[Array, Array]:
        """Weights ``(a, c, p)`` and intercepts ``(a, c)``."""
        theta = self._solve(self.checked(alpha).ravel()).theta
        a, o, q = theta.shape
        W, b = self.problem.design.weights(theta.reshape(a * o, q))
        contrasts = self.problem.response.contrasts
        return contrasts @ W.reshape(a, o, -1), b.reshape(a, o) @ contrasts.T

    def _solve(self, flat: Array) -> Solved:
        return self._solutions.at(flat)

    @cached_property
    def _solutions(self) -> Solutions:
        return Solutions(self.problem, self.anchors_, self.tolerance)

    def _bound(self, solved: Solved, flat: Array, relative: bool) -> Array:
        if not self.loss.convex:
            return np.full(len(flat), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            bound = np.where(flat == 0, np.inf, solved.residual / flat)
            bound = np.where(np.isinf(flat), 0.0, bound)
            bound += (self._epsilon + 8 * EPS) * solved.length
            if relative:  # where nothing is penalised nothing is in doubt
                return np.where((bound == 0) | (not self.anchors), 0.0, bound / solved.length)
            return bound

    @cached_property
    def nodes(self) -> Nodes:
        """What each anchor weighs between them."""
        return Nodes(self.anchors_)

    @cached_property
    def _used(self) -> Shares | Probed:
        """How much of each direction is in use, or how much of all of them."""
        return (Shares if self.problem.whole else Probed)(self.anchors_, self.nodes)

    def _least_curvature(self, alpha: float) -> float:
        """The smallest eigenvalue of the nearest anchor; 0 where it is not known."""
        if not self.anchors:
            return np.inf
        if not self.problem.whole:
            return 0.0
        with np.errstate(divide="ignore"):
            nearest = int(np.argmin(np.abs(self.anchors_.places - np.log(alpha))))
        return float(self.anchors[nearest].spectrum[0].min(initial=np.inf))

    def _scalars(self, alpha: ArrayLike, pick: Callable[[Solved], Array]) -> Any:
        strength = self.checked(alpha)
        values = pick(self._solve(strength.ravel())).reshape(strength.shape)
        return values if strength.ndim else float(values)

    def checked(self, alpha: ArrayLike) -> Array:
        """Strengths as an array, refused where there is no solution."""
        strength = some_strengths(alpha)
        if strength.size and strength.min() < self.lowest:
            raise InputError(
                f"alpha = {strength.min():g} has no solution that could be given: these columns separate the "
                "rows, so that the weights grow without end as alpha falls; the path begins at "
                f"alpha = {self.lowest * ROUNDED_UP:.6g}"
            )
        return strength

    @property
    def _epsilon(self) -> float:
        return float(np.finfo(self.sample.dtype).eps)

    def shaped(self, values: Array, axes: int) -> NDArray[np.floating]:
        """Public shape of ``(a, c, ...)``: a single output has no axis where y was 1-d."""
        single = self.problem.response.classes == 1
        values = values[:, 0] if single and self.one_target else values
        return (values if axes else values[0]).astype(self.sample.dtype, copy=False)


def follow(fit: Fit, tolerance: float, classes: int = 1) -> AnchoredPath:
    """Solve the anchors of a fit and make a path of them.

    Parameters
    ----------
    fit : Fit
        From :func:`eigenshrink.fit.fit_loss`.
    tolerance : float
        Relative error that is kept at every strength.
    classes : int
        Of a loss of several classes; 1 for all others.
    """
    training, loss = fit.training, fit.loss
    assert training is not None
    assert loss is not None
    design = make_design(training, fit.penalised, fit.free, fit.scale)
    table = training.table
    problem = Problem(design, Response(loss, table.y[:, 0].astype(np.float64), table.offset, classes))
    anchors = descend(problem, min(tolerance, LOOSEST))
    contrasts, gradient = problem.response.contrasts, weights_gradient(anchors.infinite.point)
    fit = replace(fit, weights=np.zeros((len(fit.active), len(contrasts))), gradient=gradient.T)
    return AnchoredPath(fit, problem, anchors, tolerance)
