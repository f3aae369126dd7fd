"""Slow and obvious answers, and data to ask them of. Nothing here has heard of a spectrum."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import mpmath
import numpy as np
import scipy.sparse

import eigenshrink as es

EPS = np.finfo(float).eps
STRENGTHS = np.array([0.0, 1e-6, 1e-3, 0.05, 1.0, 30.0, 1e5, np.inf])


# Arguments of make() for every kind of problem that the core has to answer alike.
CASES: dict[str, dict[str, Any]] = {
    "tall": {"n": 25, "p": 5},
    "tall, no intercept": {"n": 25, "p": 5, "intercept": False},
    "precision weights": {"n": 25, "p": 5, "weights": "precision"},
    "frequency weights": {"n": 20, "p": 5, "weights": "frequency"},
    "free columns": {"n": 25, "p": 6, "free": 2, "factors": True, "weights": "precision"},
    "free columns, frequency": {"n": 20, "p": 6, "free": 2, "factors": True, "weights": "frequency"},
    "collinear free columns": {"n": 25, "p": 6, "free": 3, "collinear_free": True},
    "collinear free, no intercept": {
        "n": 20,
        "p": 6,
        "free": 3,
        "collinear_free": True,
        "intercept": False,
        "weights": "precision",
    },
    "targets": {"n": 25, "p": 5, "t": 3, "free": 1, "weights": "frequency"},
    "wide": {"n": 12, "p": 20},
    "wide, precision, targets": {"n": 12, "p": 20, "t": 2, "weights": "precision"},
    "wide, frequency, factors": {"n": 12, "p": 20, "weights": "frequency", "factors": True},
    "wide, free, no intercept": {"n": 12, "p": 20, "free": 2, "intercept": False},
    "wide, collinear free": {"n": 14, "p": 20, "free": 3, "collinear_free": True, "weights": "precision"},
    "square": {"n": 10, "p": 10},
    "one row more": {"n": 11, "p": 10},
    "one column": {"n": 9, "p": 1, "t": 1},
    "all free": {"n": 15, "p": 3, "free": 3, "t": 2},
}


@dataclass(frozen=True)
class Problem:
    """What es.study is asked: X (n, p), y (n,) or (n, t), weights, factors."""

    X: Any
    y: np.ndarray
    s: np.ndarray | None = None
    kind: str = "precision"
    d: np.ndarray | None = None
    intercept: bool = True

    def study(self, **more) -> es.Study:
        asked = {
            "sample_weight": self.s,
            "weight_kind": self.kind,
            "penalty_factor": self.d,
            "fit_intercept": self.intercept,
        }
        return es.study(self.X, self.y, **asked | more)

    def with_(self, **changes) -> Problem:
        return replace(self, **changes)

    @property
    def dense(self) -> np.ndarray:
        X = self.X.toarray() if scipy.sparse.issparse(self.X) else self.X
        return np.asarray(X, dtype=float)

    @property
    def targets(self) -> np.ndarray:  # (n, t)
        return np.asarray(self.y, dtype=float).reshape(len(self.y), -1)

    @property
    def weights(self) -> np.ndarray:  # (n,)
        return np.ones(len(self.y)) if self.s is None else np.asarray(self.s, dtype=float)

    @property
    def factors(self) -> np.ndarray:  # (p,)
        return np.ones(self.X.shape[1]) if self.d is None else np.asarray(self.d, dtype=float)

    def without(self, row: int, weight: float) -> Problem:
        """The same with less weight on one row; a row without weight is dropped."""
        s = self.weights.copy()
        s[row] -= weight
        keep = s > 0
        return self.with_(X=self.dense[keep], y=self.targets[keep], s=s[keep])


def make(
    seed: int,
    n: int,
    p: int,
    t: int | None = None,
    *,
    weights: str | None = None,
    free: int = 0,
    collinear_free: bool = False,
    factors: bool = False,
    intercept: bool = True,
    noise: float = 1.0,
) -> Problem:
    """Correlated columns off centre and on unequal scales; the last ``free`` columns are not penalised."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ (np.eye(p) + 0.3) * rng.uniform(0.3, 3.0, p) + rng.normal(size=p)
    truth = rng.normal(size=(p, t or 1))
    y = X @ truth + 2.0 + noise * np.sqrt(p) * rng.normal(size=(n, t or 1))
    d = rng.uniform(0.2, 5.0, p) if factors else np.ones(p)
    if free:
        d[-free:] = 0.0
    if collinear_free:
        X[:, -1] = 2.0 * X[:, -2] - 1.0 if intercept else 2.0 * X[:, -2]
    s = None
    if weights == "precision":
        s = rng.uniform(0.2, 4.0, n)
    elif weights == "frequency":
        s = rng.integers(1, 4, n).astype(float)
    return Problem(
        X=X,
        y=y if t else y[:, 0],
        s=s,
        kind=weights or "precision",
        d=None if np.all(d == 1) else d,
        intercept=intercept,
    )


def rows(problem: Problem) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Weighted and centred rows and targets, and the two means."""
    X, Y, s = problem.dense, problem.targets, problem.weights
    x_mean = np.average(X, axis=0, weights=s) * problem.intercept
    y_mean = np.average(Y, axis=0, weights=s) * problem.intercept
    root = np.sqrt(s)[:, None]
    return root * (X - x_mean), root * (Y - y_mean), x_mean, y_mean


def solve(problem: Problem, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients ``(t, p)`` and intercepts ``(t,)`` by least squares of augmented rows; ends as in M6."""
    Z, Y, x_mean, y_mean = rows(problem)
    d, S = problem.factors, problem.weights.sum()
    W = np.zeros((Z.shape[1], Y.shape[1]))
    pen, free = d > 0, d == 0
    if 0 < alpha < np.inf:
        W = np.linalg.lstsq(
            np.vstack([Z, np.diag(np.sqrt(S * alpha * d))]), np.vstack([Y, 0 * W]), rcond=1e-13
        )[0]
    else:
        F = Z[:, free]
        pseudo = inverse(F, np.sqrt(problem.weights) @ np.abs(problem.dense[:, free]))
        if alpha == 0:  # least D-norm, free weights projected out
            off = np.eye(len(Z)) - F @ pseudo
            root = np.sqrt(d[pen])
            size = np.sqrt(problem.weights) @ np.abs(problem.dense[:, pen]) / root
            W[pen] = inverse(off @ Z[:, pen] / root, size) @ (off @ Y) / root[:, None]
        W[free] = pseudo @ (Y - Z[:, pen] @ W[pen])
    return W.T, y_mean - W.T @ x_mean


def inverse(A: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Pseudo-inverse, blind to what is rounding beside the largest ``size`` that went into A."""
    U, values, Vt = np.linalg.svd(A, full_matrices=False)
    keep = values > 1e-11 * size.max(initial=0.0)
    return Vt[keep].T / values[keep] @ U[:, keep].T


def free_rank(problem: Problem) -> int:
    """Rank of the free columns and the intercept, ``m`` of M9."""
    X = problem.dense[:, problem.factors == 0]
    return int(np.linalg.matrix_rank(np.hstack([X, np.ones((len(X), int(problem.intercept)))]), rtol=1e-11))


def objective(problem: Problem, alpha: float, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
    """``L + Ω`` of M1, ``(t,)``, written out."""
    error = problem.targets - problem.dense @ np.atleast_2d(coef).T - intercept
    loss = problem.weights @ error**2 / (2 * problem.weights.sum())
    return loss + alpha / 2 * np.atleast_2d(coef) ** 2 @ problem.factors


def loo(problem: Problem, alpha: float) -> np.ndarray:
    """Leave-one-out by refits, ``(t,)``: the row (frequency: one copy of it) goes, Sα stays (M14).

    Infinite where the rows that stay cannot determine the free weights.
    """
    s, S = problem.weights, problem.weights.sum()
    total = np.zeros(problem.targets.shape[1])
    for i in range(len(s)):
        rest = problem.without(i, 1.0 if problem.kind == "frequency" else s[i])
        if free_rank(rest) < free_rank(problem):
            return np.full_like(total, np.inf)
        coef, intercept = solve(rest, alpha * S / rest.weights.sum())
        total += s[i] * (problem.targets[i] - coef @ problem.dense[i] - intercept) ** 2
    return total / (2 * S)


def hat(problem: Problem, alpha: float) -> np.ndarray:
    """The n×n matrix that maps targets to fitted values: what becomes of each unit vector."""
    n = len(problem.targets)
    coef, intercept = solve(problem.with_(y=np.eye(n)), alpha)
    return problem.dense @ coef.T + intercept


def gcv(problem: Problem, alpha: float) -> np.ndarray:
    """``(RSS_s/2S)/(1 − γ/ν)²`` with γ the trace of the hat matrix, ``(t,)``."""
    A, s = hat(problem, alpha), problem.weights
    nu = s.sum() if problem.kind == "frequency" else len(s)
    rss = s @ (problem.targets - A @ problem.targets) ** 2
    return rss / (2 * s.sum()) / (1 - np.trace(A) / nu) ** 2


def reml(problem: Problem, alpha: float) -> np.ndarray:
    """Negative log marginal likelihood from the n×n covariance of y, σ² profiled, free block flat, ``(t,)``.

    Constants that do not move with α are those of the house: rows of weight s have variance σ²/s.
    """
    X, Y, s, d = problem.dense, problem.targets, problem.weights, problem.factors
    S = s.sum()
    if problem.kind == "frequency":
        copies = s.astype(int)
        X, Y, s = np.repeat(X, copies, axis=0), np.repeat(Y, copies, axis=0), np.ones(copies.sum())
    F = np.hstack([X[:, d == 0], np.ones((len(X), int(problem.intercept)))])
    U, sizes, _ = np.linalg.svd(F, full_matrices=False)
    F = U[:, sizes > 1e-10 * sizes.max(initial=0.0)]
    V = np.diag(1 / s) + X[:, d > 0] / d[d > 0] @ X[:, d > 0].T / (S * alpha)
    information = F.T @ np.linalg.solve(V, F)
    Py = np.linalg.solve(V, Y - F @ np.linalg.solve(information, F.T @ np.linalg.solve(V, Y)))
    constant = np.log(s).sum() - np.linalg.slogdet(F.T * s @ F)[1]
    log_det = np.linalg.slogdet(V)[1] + np.linalg.slogdet(information)[1] + constant
    return 0.5 * ((len(X) - F.shape[1]) * np.log(np.sum(Y * Py, axis=0)) + log_det)


def slope(curve, alpha: np.ndarray, h: float = 1e-4) -> np.ndarray:
    """``d curve / d log α`` by central differences of fourth order."""

    def at(step: float) -> np.ndarray:
        return np.asarray(curve(alpha * np.exp(step)))

    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)


def with_spectrum(seed: int, n: int, p: int, sizes: np.ndarray) -> np.ndarray:
    """An n×p matrix with the given singular values and means near zero."""
    rng = np.random.default_rng(seed)
    k = len(sizes)
    left = rng.normal(size=(n, k))
    U, V = np.linalg.qr(left - left.mean(axis=0))[0], np.linalg.qr(rng.normal(size=(p, k)))[0]
    return U * sizes @ V.T


def exact(problem: Problem, alpha: float) -> np.ndarray:
    """Coefficients ``(t, p)`` as 50-digit numbers rounded once: normal equations in mpmath.

    Without penalty and with more columns than rows: the least-norm interpolation (D = I, no free columns).
    """
    with mpmath.workdps(90):
        X, Y = mpmath.matrix(problem.dense.tolist()), mpmath.matrix(problem.targets.tolist())
        s, d = list(map(mpmath.mpf, problem.weights)), problem.factors
        n, p, S = X.rows, X.cols, mpmath.fsum(list(map(mpmath.mpf, problem.weights)))
        if problem.intercept:
            for M in (X, Y):
                for j in range(M.cols):
                    mean = mpmath.fsum(s[i] * M[i, j] for i in range(n)) / S
                    for i in range(n):
                        M[i, j] -= mean
        if alpha == 0 and p > n:
            keep = n - 1 if problem.intercept else n
            X, Y = X[:keep, :], Y[:keep, :]
            W = X.T * mpmath.lu_solve(X * X.T, Y)
        else:
            weighted = mpmath.diag(s) * X
            A, B = X.T * weighted, weighted.T * Y
            for j in range(p):
                A[j, j] += S * mpmath.mpf(alpha) * mpmath.mpf(d[j])
            W = mpmath.matrix([[x] for x in mpmath.lu_solve(A, B[:, 0])])
            for k in range(1, Y.cols):
                W = _beside(W, mpmath.lu_solve(A, B[:, k]))
        return np.array([[W[i, k] for i in range(p)] for k in range(W.cols)], dtype=object)


def _beside(left, column):
    return mpmath.matrix([[*(left[i, k] for k in range(left.cols)), column[i]] for i in range(left.rows)])


def distance(coef: np.ndarray, truth: np.ndarray, d: np.ndarray | float = 1.0) -> float:
    """``‖coef − truth‖_D`` of the worst target, subtracted in 50 digits."""
    with mpmath.workdps(50):
        worst = mpmath.mpf(0)
        for computed, wanted in zip(np.atleast_2d(coef), truth, strict=True):
            parts = zip(computed, wanted, np.broadcast_to(d, len(wanted)), strict=True)
            size = mpmath.sqrt(mpmath.fsum(mpmath.mpf(f) * (mpmath.mpf(c) - w) ** 2 for c, w, f in parts))
            worst = max(worst, size)
        return float(worst)
