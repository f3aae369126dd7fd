"""Slow and obvious answers for generalised linear models: dense Newton in the original columns, nothing else.

The parameters are one matrix ``theta`` ``(q, c)``: a row per column of X and, last, one for the intercept; a
column per class, one where there are none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse

import eigenshrink as es
from glm_losses import Deviance, deviance_of

# --- problems -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Glm:
    """What es.study is asked: y as people give it, or for binomial counts (n, 2)."""

    loss: str
    X: Any
    y: np.ndarray
    s: np.ndarray | None = None
    kind: str = "precision"
    d: np.ndarray | None = None
    intercept: bool = True
    offset: np.ndarray | None = None
    labels: tuple[Any, ...] = ()  # where some of the rows need not show all classes

    def study(self, **more) -> es.Study:
        asked = {
            "loss": self.loss,
            "sample_weight": self.s,
            "weight_kind": self.kind,
            "penalty_factor": self.d,
            "fit_intercept": self.intercept,
            "offset": self.offset,
        }
        return es.study(self.X, self.y, **asked | more)

    def with_(self, **changes) -> Glm:
        return replace(self, **changes)

    def rows(self, keep: np.ndarray) -> Glm:
        """The problem of some of its rows, which remembers the classes of all."""
        parts = {
            name: None if getattr(self, name) is None else getattr(self, name)[keep]
            for name in ("s", "offset")
        }
        return self.with_(X=self.dense[keep], y=self.y[keep], labels=self.classes, **parts)

    @property
    def deviance(self) -> Deviance:
        return deviance_of(self.loss)

    @property
    def classes(self) -> tuple[Any, ...]:
        named = self.loss in ("logistic", "multinomial")
        return self.labels or (tuple(np.unique(self.y).tolist()) if named else ())

    @property
    def outputs(self) -> int:
        return len(self.classes) if self.loss == "multinomial" else 1

    @property
    def dense(self) -> np.ndarray:
        X = self.X.toarray() if scipy.sparse.issparse(self.X) else self.X
        return np.asarray(X, dtype=float)

    @property
    def response(self) -> np.ndarray:  # (n,)
        if self.classes:
            return np.searchsorted(np.array(self.classes), self.y).astype(float)
        y = np.asarray(self.y, dtype=float)
        return y[:, 0] / y.sum(axis=1) if y.ndim == 2 else y

    @property
    def weights(self) -> np.ndarray:  # (n,), times trials where y counts
        s = np.ones(len(self.y)) if self.s is None else np.asarray(self.s, dtype=float)
        return s * self.y.sum(axis=1) if np.ndim(self.y) == 2 else s

    @property
    def factors(self) -> np.ndarray:  # (q,), the intercept last
        d = np.ones(self.X.shape[1]) if self.d is None else np.asarray(self.d, dtype=float)
        return np.r_[d, 0.0] if self.intercept else d

    @property
    def design(self) -> np.ndarray:  # (n, q), the intercept last
        return np.hstack([self.dense, np.ones((len(self.y), int(self.intercept)))])

    @property
    def start(self) -> np.ndarray:  # (n, 1) or (n, c)
        n = len(self.y)
        return np.zeros((n, 1)) if self.offset is None else np.reshape(self.offset, (n, -1)).astype(float)


# --- the solution -------------------------------------------------------------------------------------


def predictor(problem: Glm, theta: np.ndarray) -> np.ndarray:
    """Linear predictors ``(n, c)``, the offset included."""
    return problem.start + problem.design @ theta


def loss(problem: Glm, theta: np.ndarray) -> float:
    """``L``: the mean half deviance."""
    value = problem.deviance.value(problem.response, predictor(problem, theta))
    return float(problem.weights @ value / problem.weights.sum())


def objective(problem: Glm, alpha: float, theta: np.ndarray) -> float:
    """``L + Ω`` of M1."""
    return loss(problem, theta) + alpha / 2 * float(problem.factors @ np.sum(theta**2, axis=1))


def gradient(problem: Glm, theta: np.ndarray) -> np.ndarray:
    """``∇L``, ``(q, c)``."""
    slope = problem.deviance.slope(problem.response, predictor(problem, theta))
    return problem.design.T @ (problem.weights[:, None] * slope) / problem.weights.sum()


def hessian(problem: Glm, theta: np.ndarray) -> np.ndarray:
    """``∇²L`` for ``theta`` read row by row, ``(q·c, q·c)``: observed, not expected."""
    Z, s = problem.design, problem.weights / problem.weights.sum()
    W = problem.deviance.curvature(problem.response, predictor(problem, theta))
    q, c = Z.shape[1], W.shape[1]
    H = np.empty((q, c, q, c))
    for a in range(c):
        for b in range(c):
            H[:, a, :, b] = (Z * (s * W[:, a, b])[:, None]).T @ Z
    return H.reshape(q * c, q * c)


def penalised_hessian(problem: Glm, alpha: float, theta: np.ndarray) -> np.ndarray:
    """``H_α``."""
    return hessian(problem, theta) + alpha * np.diag(np.repeat(problem.factors, theta.shape[1]))


def pseudo_inverse(H: np.ndarray) -> np.ndarray:
    """Of a symmetric H; what is flat is told apart where every diagonal entry is one."""
    if not len(H):
        return H
    size = np.sqrt(np.maximum(np.diag(H), 1e-300))
    values, Q = np.linalg.eigh(H / np.outer(size, size))
    keep = np.abs(values) > 1e-13 * values[-1]
    some = (Q[:, keep] / values[keep]) @ Q[:, keep].T / np.outer(size, size)
    flat, _ = np.linalg.qr(Q[:, ~keep] / size[:, None])
    onto = np.eye(len(H)) - flat @ flat.T
    return onto @ some @ onto


def solve(problem: Glm, alpha: float, start: np.ndarray | None = None) -> np.ndarray:
    """``theta (q, c)`` at α in [0, inf]; of flat directions (softmax shift) the shortest steps from 0."""
    q, c = problem.design.shape[1], problem.outputs
    theta = np.zeros((q, c)) if start is None else start.copy()
    moving = np.repeat(problem.factors == 0, c) if np.isinf(alpha) else np.ones(q * c, dtype=bool)
    theta.reshape(-1)[~moving] = 0.0
    alpha = 0.0 if np.isinf(alpha) else alpha
    best, found = np.inf, theta
    for _ in range(300):
        slope = gradient(problem, theta) + alpha * problem.factors[:, None] * theta
        worst = np.max(np.abs(slope / noise(problem, alpha, theta)).reshape(-1)[moving], initial=0.0)
        settled = best < 1e-12 and worst > 0.9 * best
        best, found = min((best, found), (worst, theta), key=lambda pair: pair[0])
        if settled or best < 1e-15:
            return found
        theta = damped(problem, alpha, theta, slope.reshape(-1), moving)
    raise AssertionError(f"the oracle stopped at a relative gradient of {best:.1e}")


def noise(problem: Glm, alpha: float, theta: np.ndarray) -> np.ndarray:
    """What the parts of each entry of the gradient add up to without their signs, ``(q, c)``."""
    s, eta = problem.weights / problem.weights.sum(), predictor(problem, theta)
    slope = np.abs(problem.deviance.slope(problem.response, eta))
    bent = np.einsum("nab,nb->na", np.abs(problem.deviance.curvature(problem.response, eta)), 1 + np.abs(eta))
    parts = np.abs(problem.design).T @ (s[:, None] * (slope + bent))
    root = np.sqrt(problem.factors)[:, None]
    return parts + alpha * root * (root * np.abs(theta) + np.linalg.norm(root * theta)) + 1e-300


def damped(problem: Glm, alpha: float, theta: np.ndarray, slope: np.ndarray, moving: np.ndarray):
    """One Newton step, halved until the objective falls; at once where rounding would hide its fall."""
    H = penalised_hessian(problem, alpha, theta)[np.ix_(moving, moving)]
    part, left = newton(H, slope[moving])
    if left and problem.loss.startswith("huber"):  # no curvature where all residuals are beyond delta
        H = penalised_hessian(problem.with_(loss="huber:inf"), alpha, theta)[np.ix_(moving, moving)]
        part, _ = newton(H, slope[moving])
    step = np.zeros_like(slope)
    step[moving] = part
    now = objective(problem, alpha, theta)
    if -slope @ step <= 1e-9 * (1 + abs(now)):
        return theta + step.reshape(theta.shape)
    for halvings in range(60):
        tried = theta + 0.5**halvings * step.reshape(theta.shape)
        with np.errstate(all="ignore"):
            then = objective(problem, alpha, tried)
        if then <= now:
            return tried
    raise AssertionError("the oracle found no way down")


def newton(H: np.ndarray, slope: np.ndarray) -> tuple[np.ndarray, bool]:
    """``−H⁺ slope``, downwards along negative curvature too, and whether slope is left where H is flat."""
    size = np.sqrt(np.maximum(np.diag(H), 1e-8 * np.abs(H).max() + 1e-300))
    values, Q = np.linalg.eigh(H / np.outer(size, size))
    keep = np.abs(values) > 1e-13 * np.abs(values).max(initial=0.0)
    along = Q.T @ (slope / size)
    left = np.linalg.norm(along[~keep]) > 0.1 * np.linalg.norm(along)
    return -(Q[:, keep] @ (along[keep] / np.abs(values[keep]))) / size, bool(left)


def coef(problem: Glm, theta: np.ndarray) -> np.ndarray:
    """As ``study.coef``: ``(p,)``, or ``(c, p)`` of a softmax, each column summing to zero."""
    W = theta[: problem.X.shape[1]].T
    return W - W.mean(axis=0) if problem.loss == "multinomial" else W[0]


def intercept(problem: Glm, theta: np.ndarray) -> np.ndarray:
    """As ``study.intercept``: ``()``, or ``(c,)`` that sum to zero."""
    b = theta[-1] if problem.intercept else np.zeros(problem.outputs)
    return b - b.mean() if problem.loss == "multinomial" else b[0]


# --- how far a given vector is from it ----------------------------------------------------------------


def distance(problem: Glm, W: np.ndarray, V: np.ndarray) -> float:
    """``‖W − V‖_D`` of two arrays shaped like ``study.coef``."""
    d = problem.factors[: problem.X.shape[1]]
    return float(np.sqrt(np.sum(d * np.atleast_2d(np.asarray(W, dtype=float) - V) ** 2)))


def certificate(problem: Glm, alpha: float, W: np.ndarray) -> float:
    """M16 at penalised weights W: free ones solved with those as an offset, then the gradient's norm."""
    p, d = problem.X.shape[1], problem.factors
    theta = np.zeros((len(d), problem.outputs))
    theta[:p] = np.where(d[:p, None] > 0, np.atleast_2d(np.asarray(W, dtype=float)).T, 0.0)
    beside, start = problem.with_(offset=predictor(problem, theta)), np.zeros_like(theta)
    if problem.intercept:
        start[-1] = problem.start.mean() - beside.start.mean(axis=0)
    theta += solve(beside, np.inf, start)
    with np.errstate(divide="ignore"):
        slope = (gradient(problem, theta) + alpha * d[:, None] * theta)[d > 0]
        return float(np.sqrt(np.sum(slope**2 / d[d > 0, None])) / alpha)
