"""How far the coefficients of a path of anchors scatter, with the curvature at each strength (M15)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigenshrink.data.memory import predict
from eigenshrink.errors import InputError
from eigenshrink.inference.quadratic import KINDS
from eigenshrink.newton.anchors import Anchor
from eigenshrink.newton.dense import solver
from eigenshrink.path import AnchoredPath
from eigenshrink.penalty import some_strengths

Array = NDArray[np.float64]

PERFECT = 1e-12  # share of the scatter without columns that a perfect fit is taken to leave
NUDGE = 1e-6  # of a predictor, to see how its mean moves


def dispersion(path: AnchoredPath, alpha: float) -> float:
    """φ at one strength: 1 where the loss knows it, else ``Σ s_i (y_i − μ_i)²/V(μ_i) / (ν − γ)`` (M15).

    Huber: the mean square of ψ beside the mean of ψ', its own curvature. NaN where no degree is left.
    """
    if path.loss.known_dispersion:
        return 1.0
    spare = residual_df(path, alpha)
    return _scatter(path, alpha) / spare if spare > 0 else float("nan")


def residual_df(path: AnchoredPath, alpha: float) -> float:
    """``ν − γ(α)`` (M9)."""
    return path.sample.observations - float(path.effective_parameters(alpha))


def dispersion_at_zero(path: AnchoredPath) -> float:
    """φ of the weakest model that there is: what all strengths are compared with (M14).

    Raises
    ------
    InputError
        If that model uses up every observation.
    """
    if path.loss.known_dispersion:
        return 1.0
    weakest = path.anchors_.all[0]
    value = dispersion(path, weakest.alpha)
    if np.isnan(value):
        raise InputError(
            f"the dispersion of {path.loss.name} cannot be estimated: with {path.sample.rows} rows the model "
            "without a penalty uses up every observation; choose by criterion='loo' or 'kfold'"
        )
    return max(value, PERFECT * float(dispersion(path, np.inf))) or 1.0  # nothing scatters at any strength


def _scatter(path: AnchoredPath, alpha: float) -> float:
    """What is left about the fit; remembered, so that a saved path still has it at the strengths it needs."""
    kept: dict[float, float] = path.made.setdefault("scatter", {})
    if alpha not in kept:
        kept[alpha] = _left(path, path.near(alpha))
    return kept[alpha]


def _left(path: AnchoredPath, anchor: Anchor) -> float:
    response, point = path.problem.response, anchor.point
    weight = path.sample.weight_sum * path.problem.design.share
    if path.loss.name.startswith("huber"):
        slope = response.slope(point.eta[:, :, None])[:, 0, 0]
        steep = float(path.problem.design.share @ response.curvature(point.eta)[:, 0, 0])
        return float(weight @ slope**2 / max(steep, 1.0 / len(weight)))  # none inside: as if one were
    mean = response.mean(point.eta[:, :, None])[:, 0]
    return float(weight @ ((response.y - mean) ** 2 / path.loss.variance(mean)))


def covariance(path: AnchoredPath, alpha: ArrayLike, kind: str = "frequentist") -> Any:
    """``(φ/S) H_α⁻¹HH_α⁻¹`` or ``(φ/S) H_α⁻¹`` of all coefficients, the intercept last (M15).

    ``(p+1, p+1)``, or of each class ``(c, p+1, p+1)``; a leading axis for ``(a,)``. The estimate is biased
    towards 0, of which the frequentist one says nothing.
    """
    return _each(path, alpha, lambda at: _covariance(path, at, kind))


def standard_errors(path: AnchoredPath, alpha: ArrayLike, kind: str = "frequentist") -> Any:
    """Roots of the diagonal of that, ``(p+1,)`` or ``(c, p+1)``."""

    def one(at: float) -> Array:
        found = np.sum(_roots(path, at, kind) ** 2, axis=2)
        share, seen, far = _prior(path, at, kind)
        unseen = share * np.maximum(far[:, 0] - np.sum(seen**2, axis=0), 0.0) if share else 0.0
        return np.asarray(np.sqrt(found + unseen))

    return _each(path, alpha, one)


def prediction_std(path: AnchoredPath, X: Any, alpha: float, kind: str, noise: bool) -> NDArray[np.floating]:
    """Standard error of the expected response of each row, to first order, ``(n,)`` or ``(n, c)``."""
    if noise:
        raise InputError(
            f"noise=True needs a target with one variance; that of {path.loss.name} depends on the mean: "
            "leave it at False"
        )
    response, anchor = path.problem.response, path.near(alpha)
    o, q = path.problem.shape
    own, design = _root(path, anchor, kind).reshape(o, q, -1), path.problem.design
    W, b = design.weights(anchor.theta)
    eta = predict(X, W, design.centre, b + W @ design.centre)
    lift, level = design.weights(np.eye(q))
    rows = predict(X, lift, design.centre, level + lift @ design.centre)
    each = np.einsum("nq,aqk->nak", rows, own, optimize=True)
    scatter = each @ each.transpose(0, 2, 1)
    steep = [_mean(response, eta + NUDGE * unit) - _mean(response, eta - NUDGE * unit) for unit in np.eye(o)]
    J = np.stack(steep, axis=-1) / (2 * NUDGE)  # (n, c, o)
    found = np.sqrt(np.einsum("nca,nab,ncb->nc", J, scatter, J))
    return np.asarray(found if response.classes > 1 else found[:, 0], dtype=path.sample.dtype)


def _mean(response: Any, eta: Array) -> Array:
    """Expected response without offset, ``(n, c)``."""
    mean = response.loss.mean(eta @ response.contrasts.T if response.classes > 1 else eta)
    return np.asarray(mean)


def _each(path: AnchoredPath, alpha: ArrayLike, one: Any) -> Any:
    strength = some_strengths(alpha)
    found = np.stack([path.shaped(one(float(at))[None], 0) for at in strength.ravel()])
    return found if strength.ndim else found[0]


def _covariance(path: AnchoredPath, alpha: float, kind: str) -> Array:
    root, lift = _roots(path, alpha, kind), _lift(path)
    share, seen, _ = _prior(path, alpha, kind)
    total = np.asarray(root @ root.transpose(0, 2, 1))
    if share:
        design, pen = path.problem.design, path.problem.design.columns[0]
        spread = np.zeros((len(lift), len(pen)))
        spread[pen, np.arange(len(pen))] = design.scale
        spread[len(design.centre) :] = -design.centre[pen] * design.scale
        total += share * (spread @ spread.T - seen.T @ seen)
    return total


def _roots(path: AnchoredPath, alpha: float, kind: str) -> Array:
    """``B`` with ``B Bᵀ`` the covariance of each class's coefficients, ``(c, p+1, k)``."""
    contrasts, (o, q) = path.problem.response.contrasts, path.problem.shape
    own = np.einsum("ca,aqk->cqk", contrasts, _root(path, path.near(alpha), kind).reshape(o, q, -1))
    return np.asarray(_lift(path) @ own)


def _lift(path: AnchoredPath) -> Array:
    W, b = path.problem.design.weights(np.eye(path.problem.shape[1]))
    return np.vstack([W.T, b[None]]) if path.problem.design.intercept else W.T


def _prior(path: AnchoredPath, alpha: float, kind: str) -> tuple[float, Array, Array]:
    """What only the prior says: ``share · (spread − seenᵀ seen)``, blind directions and the shift.

    The penalty lets the classes move together with variance ``φ/(Sαd)`` as well, which no row can see.
    Third: the diagonal of ``spread``, ``(p+1, 1)``.
    """
    design, c = path.problem.design, len(path.problem.response.contrasts)
    none = 0.0, np.zeros((0, 0)), np.zeros((0, 1))
    if kind != "bayesian" or not np.isfinite(alpha) or (design.basis is None and c == 1):
        return none
    if alpha == 0:
        raise InputError(
            "the rows leave some penalised weights undetermined, so that their Bayesian variance is infinite "
            "at alpha = 0: give alpha > 0, or kind='frequentist'"
        )
    pen = design.columns[0]
    far = np.zeros((len(design.centre) + design.intercept, 1))
    far[pen, 0] = design.scale**2
    far[len(design.centre) :] = np.sum((design.centre[pen] * design.scale) ** 2)
    seen = _lift(path)[:, design.rank :].T * np.sqrt(1.0 if c == 1 else 1.0 - 1.0 / c)
    return dispersion(path, alpha) / path.sample.weight_sum / alpha, seen, far


def _root(path: AnchoredPath, anchor: Anchor, kind: str) -> Array:
    """``B`` with ``B Bᵀ = (φ/S) H_α⁻¹HH_α⁻¹`` or ``(φ/S) H_α⁻¹`` of the coordinates, ``(d, k)``.

    With ``L Lᵀ = H_α⁻¹`` the former is ``L (I − αLᵀEL) Lᵀ``, whatever rounding says never negative.
    """
    if kind not in KINDS:
        raise InputError(f"kind must be {' or '.join(map(repr, KINDS))}; got {kind!r}")
    H = anchor.curvature.matrix("the covariance of weights")
    inverse = solver(H, path.problem.priced, anchor.alpha)
    phi = dispersion(path, anchor.alpha) / path.sample.weight_sum
    root = inverse.root * np.sqrt(phi)
    if kind == "bayesian" or not 0 < anchor.alpha < np.inf:
        return np.asarray(root)
    priced = inverse.root * np.sqrt(anchor.alpha * path.problem.priced)[:, None]
    kept = np.eye(root.shape[1]) - priced.T @ priced
    if inverse.inverted:  # some curvature is negative
        kept = inverse.root.T @ H @ inverse.root
    values, Q = np.linalg.eigh(kept)
    return np.asarray(root @ (Q * np.sqrt(np.clip(values, 0.0, 1.0))))
