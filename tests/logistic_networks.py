"""Regressions posed as networks: fitted exactly at any strength, with any route to their path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eigenshrink.curvature import MatrixCurvature
from eigenshrink.fit import Fit
from eigenshrink.models import LOSSES
from eigenshrink.path import RowLosses
from eigenshrink.path.products import Effort, krylov_path


class Factored(MatrixCurvature):
    """A matrix of few rows beside it: ``H = BᵀB``."""

    def __init__(self, rows: np.ndarray) -> None:
        super().__init__(rows.T @ rows)
        self.rows, self.factor_rows = rows, len(rows)

    def factor(self) -> np.ndarray:
        return self.rows


@dataclass
class Logistic:
    """Columns that fade; ``free``: not penalised; ``factors``: the others not alike."""

    rows: int = 400
    weights: int = 24
    spread: float = 2.0
    fade: float = 0.5
    seed: int = 0
    free: tuple[int, ...] = ()
    factors: bool = False
    judges: int = 0

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.X = rng.normal(size=(self.rows, self.weights)) * np.arange(1, self.weights + 1) ** -self.fade
        eta = self.X @ rng.normal(size=self.weights) * self.spread
        self.y = rng.random(self.rows) < 1 / (1 + np.exp(-eta))
        self.d = rng.uniform(0.5, 2.0, self.weights) if self.factors else np.ones(self.weights)
        self.d[list(self.free)] = 0.0

    def train(self, w: np.ndarray) -> RowLosses:
        eta = self.X @ w
        return RowLosses(np.logaddexp(0, eta) - self.y * eta, np.ones(self.rows))

    def train_gradient(self, w: np.ndarray) -> np.ndarray:
        return self.X.T @ (1 / (1 + np.exp(-self.X @ w)) - self.y) / self.rows

    validation, validation_gradient = train, train_gradient

    def half(self, w: np.ndarray) -> np.ndarray:
        """B with ``H = BᵀB``, ``(n, p)``."""
        mean = 1 / (1 + np.exp(-self.X @ w))
        return self.X * np.sqrt(mean * (1 - mean) / self.rows)[:, None]

    def hessian(self, w: np.ndarray) -> np.ndarray:
        return self.half(w).T @ self.half(w)

    def objective(self, w: np.ndarray, alpha: float) -> float:
        return self.train(w).mean + 0.5 * alpha * float(self.d @ w**2)

    def slope(self, w: np.ndarray, alpha: float) -> np.ndarray:
        return self.train_gradient(w) + alpha * self.d * w

    def fitted(self, alpha: float) -> np.ndarray:
        """Newton's method with halved steps, until a step changes nothing."""
        w = np.zeros(self.weights)
        for _ in range(100):
            step = np.linalg.solve(self.hessian(w) + alpha * np.diag(self.d), self.slope(w, alpha))
            size = 1.0
            while self.objective(w - size * step, alpha) > self.objective(w, alpha) + 1e-15:
                size /= 2
            w = w - size * step
            if np.linalg.norm(step) <= 1e-12 * np.linalg.norm(w):
                return w
        raise AssertionError(f"not fitted at {alpha}")

    def path(self, alpha, moved=0.0, hessian=None, route="whole", **effort):
        """The path of a training at ``alpha`` that stopped so far from the minimum."""
        w = self.fitted(alpha) + moved * np.random.default_rng(1).normal(size=self.weights)
        H = self.hessian(w) if hessian is None else hessian
        fit = Fit(
            weights=w[:, None],
            gradient=self.train_gradient(w)[:, None],
            alpha=alpha,
            curvature=Factored(self.half(w)) if route == "dual" else MatrixCurvature(H),
            penalty_factor=self.d,
            active=np.ones(self.weights, dtype=bool),
            loss=LOSSES["logistic"],
        )
        made = Effort(whole=3000 if route == "whole" else 0, **effort)
        return krylov_path(fit, (), self, self.train(w).mean, made)


class Linear:
    """Least squares; ``single``: its gradient is rounded as one of float32 is."""

    judges = 0

    def __init__(self, free=(), factors=False, single=False):
        rng = np.random.default_rng(3)
        self.X, self.single = rng.normal(size=(60, 12)) * np.geomspace(1, 0.05, 12), single
        self.y = self.X @ rng.normal(size=12) + rng.normal(size=60)
        self.H, self.d = self.X.T @ self.X / 60, rng.uniform(0.5, 2, 12) if factors else np.ones(12)
        self.d[list(free)] = 0.0

    def train(self, w):
        return RowLosses(0.5 * (self.y - self.X @ w) ** 2, np.ones(60))

    validation = train

    def train_gradient(self, w):
        found = self.X.T @ (self.X @ w - self.y) / 60
        return found.astype(np.float32).astype(float) if self.single else found

    validation_gradient = train_gradient

    def path(self, alpha, moved=0.0, **effort):
        w = np.linalg.solve(self.H + alpha * np.diag(self.d), self.X.T @ self.y / 60)
        w = w + moved * np.random.default_rng(1).normal(size=12)
        gradient, active = self.train_gradient(w)[:, None], np.ones(12, dtype=bool)
        fit = Fit(w[:, None], gradient, alpha, MatrixCurvature(self.H), self.d, active)
        return krylov_path(fit, (), self, self.train(w).mean, Effort(**effort))
