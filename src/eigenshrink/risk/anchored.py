"""The estimates of the true error of a path of anchors, one function each (M14)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.checks import Table
from eigenshrink.data.memory import predict
from eigenshrink.errors import InputError, NotConverged
from eigenshrink.inference.anchored import dispersion_at_zero
from eigenshrink.newton.anchors import Anchor
from eigenshrink.newton.problem import Point, Problem
from eigenshrink.newton.response import Response
from eigenshrink.newton.solve import search, solve
from eigenshrink.path import AnchoredPath, kept_share
from eigenshrink.risk.curve import LIKELIHOOD_UNIT, RiskCurve, once
from eigenshrink.risk.one_step import Leaving
from eigenshrink.risk.predicted import Judged, make_curve, predicted_curve
from eigenshrink.risk.uncertainty import DROP

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

SHARE = "share of rows"
FAR = 30  # steps along weights that have no end


@once
def one_step_loo(path: AnchoredPath) -> RiskCurve:
    """Mean loss of each row at the predictor that one Newton step without it gives.

    ``η_i + A_i (I − W_i A_i)⁻¹ ℓ'_i`` with ``A_i = s_i x̃ᵢᵀ(S·H_α)⁻¹x̃ᵢ`` at the same Sα. Frequency weights:
    one copy leaves. Close where leverages are small; the audit refits the rows where they are not.
    """
    return predicted_curve("loo", path, _left_out(path))


def misclassified(path: AnchoredPath) -> RiskCurve:
    """Share of the rows that are put into a wrong class when they are left out; it never chooses.

    Left out one by one; where that would take too large a matrix, as validation or K-fold has them.
    """
    judged = replace(_apart(path), wrong=True)
    curve = predicted_curve("misclassified", path, judged)
    return replace(curve, unit=SHARE)


@once
def one_step_groups(path: AnchoredPath) -> RiskCurve:
    """The same with whole groups of rows left out together, all copies of them.

    Raises
    ------
    InputError
        If the study has no groups.
    """
    groups = path.splits.groups
    if groups is None:
        raise InputError(
            "leave_group_out needs groups: give es.study(..., groups=labels), one label per row, "
            "or --groups COLUMN"
        )
    eta = np.stack([Leaving.of(path, anchor, whole=True).together(groups) for anchor in path.anchors_.all])
    return predicted_curve("leave_group_out", path, _judged(path, eta, groups))


@once
def refitted_folds(path: AnchoredPath) -> RiskCurve:
    """Mean loss of each row under a fit without its fold, at the same Sα, every anchor fitted again.

    Newton starts from the whole path, with its curvature, so that a fold costs a few gradients per anchor.
    """
    return predicted_curve("kfold", path, _folds(path))


def _folds(path: AnchoredPath) -> Judged:
    """Predictors of each row without its fold, made once."""
    if "folds" in path.made:
        known: Judged = path.made["folds"]
        return known
    folds, problem = path.splits.folds, path.problem
    eta = np.empty((len(path.anchors_.all), len(folds), problem.shape[0]))
    for fold in range(int(folds.max()) + 1):
        out = np.flatnonzero(folds == fold)
        inside = np.flatnonzero(folds != fold)
        rest, judges = problem.take(inside), problem.take(out)
        kept = float(problem.design.share[inside].sum())
        for k, theta in enumerate(_refitted(path, rest, kept)):
            eta[k, out] = judges.design.predictor(theta)
    found = path.made["folds"] = _judged(path, eta, path.splits.groups)
    return found


def held_out(path: AnchoredPath) -> RiskCurve:
    """Mean loss over rows that were not fitted.

    Raises
    ------
    InputError
        If no rows were held out.
    """
    held = path.splits.holdout
    if held is None:
        raise InputError(
            "validation needs rows that were not fitted: give es.study(..., validation=(X, y)) or the "
            "fraction of rows to hold out"
        )
    return predicted_curve("validation", path, _held(path, held))


def _held(path: AnchoredPath, held: Table) -> Judged:
    """What each anchor predicts for rows that were not fitted."""
    problem = path.problem
    design, eta = problem.design, []
    for anchor in path.anchors_.all:
        W, b = design.weights(anchor.theta)
        eta.append(predict(held.X, W, design.centre, b + W @ design.centre))
    response = Response(path.loss, held.y[:, 0].astype(np.float64), held.offset, problem.response.classes)
    weight = np.ones(len(held.y)) if held.weight is None else held.weight
    copies = weight if held.weight_kind == "frequency" else None
    return Judged(response, weight, np.stack(eta), copies)


def laplace(path: AnchoredPath) -> RiskCurve:
    """``S·L̃/φ + ½log|H_FF| + ½Σ log(1 + λ/α)`` (+ constants), the mode and the curvature moving with α.

    That is ``S·L̃ + ½log|S·H_α| − (p_pen/2) log α`` (M14): ``|H_α| = |H_FF| Π(λ_i + α)``.
    """
    nodes, anchors = path.nodes, path.anchors_.all
    scale = path.sample.weight_sum / dispersion_at_zero(path)
    fixed = np.array([scale * _price(anchor) + 0.5 * anchor.spectrum[1] for anchor in anchors])
    values = np.stack([anchor.spectrum[0] for anchor in anchors])
    fixed += 0.5 * path.free_rank * np.log(scale)

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        C, steep = nodes.weights(alphas[:, 0])
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            each = np.where(values > 0, values / alphas[:, :, None], 0.0)
            bent = 0.5 * np.log1p(each).sum(axis=2)  # (m, K)
            kept = 0.5 * kept_share(values, alphas[:, :, None]).sum(axis=2)
        total, moves = C @ fixed, steep @ fixed - _along(C, kept) + _along(steep, bent)
        return (total + _along(C, bent))[:, None], moves[:, None]

    curve = make_curve("evidence", path, evaluate, unit=LIKELIHOOD_UNIT)
    return replace(curve, drop=DROP)


def combined(path: AnchoredPath) -> RiskCurve:
    """Evidence or ``(S/φ) R(α)``, R being leave-one-out: the one whose lowest point is at the larger α.

    Leave-group-out takes the place of leave-one-out where rows belong together. Both are negative log scores
    of all observations: of each one told by the others, and of one after the other. Too weak a penalty
    costs more than too strong a one: evidence asks for one where classes come apart, counts are overdispersed
    or rows alike, leave-one-out where it is misled by few rows. The band is the paired one of R around
    the optimum.

    Notes
    -----
    Measured against its parts in ``benchmarks/choose.py``; docs/choosing.md has the record.
    """
    believed = laplace(path)
    groups = "leave_group_out" in path.available_risks
    estimate = (one_step_groups if groups else one_step_loo)(path)
    weight = path.sample.weight_sum / dispersion_at_zero(path)

    def left_out(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        value, steep = estimate.evaluate(alphas, slopes)
        return weight * value, weight * steep

    stronger = np.all(np.greater_equal(believed.minimum.alpha, estimate.minimum.alpha))
    return replace(
        believed,
        name="combined",
        unit="combined score",
        evaluate=believed.evaluate if stronger else left_out,
        units=estimate.units,
        estimate=estimate,
        seed=estimate.seed,
    )


def _along(C: Array, values: Array) -> Array:
    """``Σ_k C_mk values_mk``; what has no weight is not looked at, so that limits may be infinite."""
    return np.asarray(np.sum(np.where(C == 0, 0.0, C) * np.where(C == 0, 0.0, values), axis=1))


def fitted(path: AnchoredPath) -> RiskCurve:
    """``L(w̃(α))``: falls towards α → 0 whatever the truth, so that it never chooses."""
    return make_curve("train", path, _interpolated(path, lambda anchor: anchor.point.loss))


def akaike(path: AnchoredPath) -> RiskCurve:
    """``L(w̃(α)) + φγ/S``: half of AIC per unit of weight, the optimism at fixed X added (M14)."""
    nodes, anchors = path.nodes, path.anchors_.all
    price = dispersion_at_zero(path) / path.sample.weight_sum
    losses = np.array([anchor.point.loss for anchor in anchors])
    values = np.stack([anchor.spectrum[0] for anchor in anchors])

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        C, steep = nodes.weights(alphas[:, 0])
        kept = kept_share(values, alphas[:, :, None])
        used, falls = kept.sum(axis=2), -(kept * (1.0 - kept)).sum(axis=2)
        value = C @ losses + price * (path.free_rank + np.sum(C * used, axis=1))
        moves = steep @ losses + price * np.sum(steep * used + C * falls, axis=1)
        return value[:, None], moves[:, None]

    return make_curve("cp", path, evaluate)


def added(path: AnchoredPath) -> RiskCurve:
    """Estimated true error minus training error: what Ω stands for (M1); it never chooses."""
    groups = "leave_group_out" in path.available_risks
    true, empirical = (one_step_groups if groups else one_step_loo)(path), fitted(path)

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        (value, steep), (own, falls) = true.evaluate(alphas, slopes), empirical.evaluate(alphas, slopes)
        return value - own, steep - falls

    return make_curve("optimism", path, evaluate)


def _interpolated(path: AnchoredPath, pick: Callable[[Anchor], float]) -> Callable[..., tuple[Array, Array]]:
    nodes, values = path.nodes, np.array([pick(anchor) for anchor in path.anchors_.all])

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        C, steep = nodes.weights(alphas[:, 0])
        return (C @ values)[:, None], (steep @ values)[:, None]

    return evaluate


def _price(anchor: Anchor) -> float:
    """``L̃``; at α = ∞ nothing is priced."""
    return anchor.point.objective(anchor.alpha)


def _apart(path: AnchoredPath) -> Judged:
    """Rows that the fit that judges them has not seen."""
    if path.problem.whole:
        return _left_out(path)
    held = path.splits.holdout
    return _folds(path) if held is None else _held(path, held)


def _left_out(path: AnchoredPath) -> Judged:
    """Predictors of each row without it, made once."""
    if "left out" not in path.made:
        eta = np.stack([Leaving.of(path, anchor).one()[0] for anchor in path.anchors_.all])
        path.made["left out"] = _judged(path, eta)
    judged: Judged = path.made["left out"]
    return judged


def _judged(path: AnchoredPath, eta: Array, units: Codes | None = None) -> Judged:
    """The rows of the fit as their own judges."""
    table, n = path.table, len(path.problem.design.share)
    weight = np.ones(n) if table.weight is None else table.weight
    copies = weight if table.weight_kind == "frequency" else None
    lost = ~np.isfinite(eta)
    first = int(path.anchors_.zero is not None and len(eta) > 1)
    hopeless, endless = bool(np.any(lost[first:])), bool(np.any(lost[:first]))
    if endless:  # at α = 0 only these rows determine their predictions
        eta[0][lost[0]] = eta[1][lost[0]]
    if hopeless:  # at any strength: columns without penalty that only they fill
        eta[~np.isfinite(eta)] = 0.0
    return Judged(path.problem.response, weight, eta, copies, units, endless=endless, hopeless=hopeless)


def _refitted(path: AnchoredPath, rest: Problem, kept: float) -> list[Array]:
    """Coordinates of a fit of other rows at each anchor, in the order of ``anchors.all``."""
    found: list[Array] = []
    for anchor in path.anchors_.all[::-1]:  # from strong to weak
        start = rest.at(anchor.theta)
        try:
            theta = solve(start, anchor.alpha / kept, min(path.tolerance, 1e-6), anchor.curvature).theta
        except NotConverged:  # no solution without these rows: as far as the last strength got
            if not found:  # what is free has none at any strength
                return [_far(start)] * len(path.anchors_.all)
            theta = found[-1]
        found.append(theta)
    return found[::-1]


def _far(point: Point) -> Array:
    """Coordinates on the way of free weights that grow without end: an absent class is thought impossible."""
    for _ in range(FAR):
        slope = point.slope(np.inf)
        step = -point.curvature.solver(np.inf).at(point)(slope)
        found = search(point, step, slope, np.inf)
        if found is None:
            break
        point = found
    return point.theta
