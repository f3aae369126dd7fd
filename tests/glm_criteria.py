"""Slow and obvious answers for what is made of a GLM: traces, refits, sums (M9, M14, M15)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from glm_losses import VARIANCE
from glm_oracles import Glm, hessian, loss, penalised_hessian, predictor, pseudo_inverse, solve

# --- effective parameters, evidence, covariance ------------------------------------------------------


def gamma(problem: Glm, alpha: float, theta: np.ndarray | None = None) -> float:
    """``tr H_α⁺H``, free weights included (M9)."""
    theta = solve(problem, alpha) if theta is None else theta
    H = hessian(problem, theta)
    return float(np.trace(problem.weights.sum() * information(problem, alpha, theta) @ H))


def free_rank(problem: Glm, theta: np.ndarray) -> int:
    """``m``, the rank of the free block of H, blind to the units of its columns."""
    free = np.repeat(problem.factors == 0, theta.shape[1])
    H = hessian(problem, theta)[np.ix_(free, free)]
    size = np.sqrt(np.diag(H))
    return int(np.linalg.matrix_rank(H / np.outer(size, size), tol=1e-9, hermitian=True)) if len(H) else 0


def shares(problem: Glm, alpha: float) -> np.ndarray:
    """``λ/(λ+α)`` of ``D^{-½}H_S D^{-½}`` at w̃(α), descending (M7, M12); 0 along negative curvature."""
    theta = solve(problem, alpha)
    H, d = hessian(problem, theta), np.repeat(problem.factors, theta.shape[1])
    free, pen = np.flatnonzero(d == 0), np.flatnonzero(d > 0)
    across = H[np.ix_(pen, free)]
    schur = H[np.ix_(pen, pen)] - across @ pseudo_inverse(H[np.ix_(free, free)]) @ across.T
    values = np.maximum(np.linalg.eigvalsh(schur / np.sqrt(np.outer(d[pen], d[pen]))), 0.0)[::-1]
    return values / (values + alpha)


def evidence(problem: Glm, alpha: float) -> float:
    """Laplace: ``S·L̃_α + ½log|S·H_α| − (p_pen/2)log α``, flat directions left out of the determinant."""
    theta, S = solve(problem, alpha), problem.weights.sum()
    values = np.linalg.eigvalsh(S * penalised_hessian(problem, alpha, theta))
    penalised = np.sum(problem.factors > 0) * problem.outputs
    penalty = alpha / 2 * float(problem.factors @ np.sum(theta**2, axis=1))
    determinant = np.sum(np.log(values[values > 1e-12 * values[-1]]))
    return S * (loss(problem, theta) + penalty) + determinant / 2 - penalised / 2 * np.log(alpha)


def dispersion(problem: Glm, alpha: float) -> float:
    """1, or Pearson's ``Σ s (y − μ)²/V(μ)/(ν − γ)`` at that strength."""
    if problem.loss not in ("gamma", "inverse_gaussian", "tweedie"):
        return 1.0
    theta = solve(problem, alpha)
    mu = problem.deviance.mean(predictor(problem, theta))[:, 0]
    nu = problem.weights.sum() if problem.kind == "frequency" else np.sum(problem.weights > 0)
    pearson = problem.weights @ ((problem.response - mu) ** 2 / mu ** VARIANCE.get(problem.loss, 1.5))
    return float(pearson / (nu - gamma(problem, alpha, theta)))


def covariance(problem: Glm, alpha: float, kind: str = "frequentist") -> np.ndarray:
    """``(φ/S) H_α⁻¹HH_α⁻¹`` or ``(φ/S) H_α⁻¹``, ``(c, q, q)``: a block for each class."""
    theta, c = solve(problem, alpha), problem.outputs
    inverse = pseudo_inverse(penalised_hessian(problem, alpha, theta))
    both = inverse @ hessian(problem, theta) @ inverse if kind == "frequentist" else inverse
    q = len(theta)
    blocks = np.einsum("iajb->abij", both.reshape(q, c, q, c))
    scale = dispersion(problem, alpha) / problem.weights.sum()
    return scale * np.array([blocks[k, k] for k in range(c)])


# --- leaving rows out by the formulas ----------------------------------------------------------------


class LeftOut(NamedTuple):
    """Linear predictors of rows that were left out (n, c), their half deviance (n,), their leverage (n,)."""

    eta: np.ndarray
    value: np.ndarray
    leverage: np.ndarray

    def mean(self, problem: Glm) -> float:
        return float(problem.weights @ self.value / problem.weights.sum())


def approximate(problem: Glm, alpha: float, groups: np.ndarray | None = None) -> LeftOut:
    """``η_G + A(I − WA)⁻¹ℓ'_G``, ``A = Z_G (S·H_α)⁺ Z_Gᵀ s_G``; of frequency weights one copy leaves."""
    theta, c, Z = solve(problem, alpha), problem.outputs, problem.design
    M = information(problem, alpha, theta)
    eta, y = predictor(problem, theta), problem.response
    slope, W = problem.deviance.slope(y, eta), problem.deviance.curvature(y, eta)
    s = np.ones(len(y)) if problem.kind == "frequency" else problem.weights
    out, leverage = eta.copy(), np.empty(len(y))
    parts = np.arange(len(y)) if groups is None else groups
    for part in np.unique(parts):
        G = np.flatnonzero(parts == part)
        rows = np.kron(Z[G], np.eye(c))
        A = rows @ M @ rows.T * np.repeat(s[G], c)
        B = np.zeros_like(A)
        for k, i in enumerate(G):
            B[k * c : (k + 1) * c, k * c : (k + 1) * c] = W[i]
        out[G] += (A @ np.linalg.solve(np.eye(len(B)) - B @ A, slope[G].reshape(-1))).reshape(len(G), c)
        leverage[G] = np.diagonal(B @ A).reshape(len(G), c).sum(axis=1)
    return LeftOut(out, problem.deviance.value(y, out), leverage)


def information(problem: Glm, alpha: float, theta: np.ndarray) -> np.ndarray:
    """``(S·H_α)⁺``; at α = ∞ of the free block alone."""
    S = problem.weights.sum()
    if np.isfinite(alpha):
        return pseudo_inverse(S * penalised_hessian(problem, alpha, theta))
    H = S * hessian(problem, theta)
    free = np.ix_(*2 * [np.repeat(problem.factors == 0, theta.shape[1])])
    M = np.zeros_like(H)
    M[free] = pseudo_inverse(H[free])
    return M


# --- leaving rows out by refits ----------------------------------------------------------------------


def refitted(problem: Glm, alpha: float, parts: np.ndarray) -> LeftOut:
    """The same by refits without each part at the same Sα, every copy of a row leaving."""
    start, S, Z = solve(problem, alpha), problem.weights.sum(), problem.design
    eta = np.empty((len(Z), problem.outputs))
    for part in np.unique(parts):
        out = parts == part
        rest = problem.rows(~out)
        theta = solve(rest, alpha * S / rest.weights.sum(), start)
        eta[out] = np.broadcast_to(problem.start, eta.shape)[out] + Z[out] @ theta
    value = problem.deviance.value(problem.response, eta)
    return LeftOut(eta, value, np.full(len(Z), np.nan))


def copy_left_out(problem: Glm, alpha: float) -> LeftOut:
    """Frequency weights: one copy of each row leaves at a time."""
    start, S = solve(problem, alpha), problem.weights.sum()
    eta = np.empty((len(problem.y), problem.outputs))
    for i in range(len(eta)):
        s = problem.weights.copy()
        s[i] -= 1
        rest = problem.with_(s=s, labels=problem.classes)
        eta[i] = predictor(rest, solve(rest, alpha * S / (S - 1), start))[i]
    return LeftOut(eta, problem.deviance.value(problem.response, eta), np.full(len(eta), np.nan))


def judged(problem: Glm, alpha: float, others: Glm) -> float:
    """Mean half deviance of other rows under the fit of these."""
    return loss(others.with_(labels=problem.classes), solve(problem, alpha))


def standard_error(problem: Glm, here: np.ndarray, there: np.ndarray) -> float:
    """Of the difference of two curves: ``√(N/(N−1) Σ(d_i − d̄)²)`` of what each row adds (M15)."""
    d = problem.weights * (here - there) / problem.weights.sum()
    return float(np.sqrt(len(d) / (len(d) - 1) * np.sum((d - d.mean()) ** 2)))
