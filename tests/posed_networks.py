"""Models posed as networks, known by products and losses only, small enough to be solved by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from eigenshrink.curvature import MatrixCurvature
from eigenshrink.fit import Fit, Sample
from eigenshrink.models import LOSSES, SQUARED
from eigenshrink.path import KrylovPath, Layer, Linearised, RowLosses
from eigenshrink.path.products import krylov_path

WEIGHTS = 9
LAYERS = (Layer("first", 0, 4, "Linear"), Layer("head", 4, WEIGHTS, "Linear"))


@dataclass
class Model:
    """One linear unit with half squared error or log loss; ``judges = 0``: nothing judges."""

    logistic: bool = False
    seed: int = 0
    rows: int = 60
    judges: int = 40
    spread: float = 1.0
    noise: float = 1.0

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        scale = np.logspace(0, -1, WEIGHTS)
        true = rng.normal(size=WEIGHTS) * self.spread
        self.X, self.y = self._drawn(rng, self.rows, scale, true)
        self.Z, self.z = self._drawn(rng, max(self.judges, 1), scale, true)
        self.s, self.v = np.ones(len(self.X)), np.ones(len(self.Z))

    def _drawn(self, rng: np.random.Generator, n: int, scale: np.ndarray, true: np.ndarray) -> Any:
        X = rng.normal(size=(n, WEIGHTS)) * scale
        eta = X @ true + self.noise * rng.normal(size=n)
        return X, rng.random(n) < 1 / (1 + np.exp(-eta)) if self.logistic else eta

    def _losses(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray, w: np.ndarray) -> RowLosses:
        eta = X @ w
        if not self.logistic:
            return RowLosses(0.5 * (y - eta) ** 2, weights)
        return RowLosses(np.logaddexp(0, eta) - y * eta, weights, ((eta > 0) != y).astype(float))

    def _gradient(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray, w: np.ndarray) -> np.ndarray:
        mean = 1 / (1 + np.exp(-X @ w)) if self.logistic else X @ w
        return X.T @ (weights * (mean - y)) / weights.sum()

    def train(self, w: np.ndarray) -> RowLosses:
        return self._losses(self.X, self.y, self.s, w)

    def validation(self, w: np.ndarray) -> RowLosses:
        return self._losses(self.Z, self.z, self.v, w)

    def train_gradient(self, w: np.ndarray) -> np.ndarray:
        return self._gradient(self.X, self.y, self.s, w)

    def validation_gradient(self, w: np.ndarray) -> np.ndarray:
        return self._gradient(self.Z, self.z, self.v, w)

    def hessian(self, w: np.ndarray) -> np.ndarray:
        mean = 1 / (1 + np.exp(-self.X @ w))
        curve = mean * (1 - mean) if self.logistic else np.ones(len(mean))
        return (self.X.T * (curve * self.s)) @ self.X / self.s.sum()

    def fitted(self, alpha: float, factor: np.ndarray) -> np.ndarray:
        w = np.zeros(WEIGHTS)
        for _ in range(60):
            slope = self.train_gradient(w) + alpha * factor * w
            w = w - np.linalg.solve(self.hessian(w) + alpha * np.diag(factor), slope)
        return w


class Rows(Model):
    """A model of one output that hands out its rows."""

    def linearised(self):
        outputs = self.X @ self.at

        def losses(change):
            eta = outputs + change[:, 0]
            mean = 1 / (1 + np.exp(-eta)) if self.logistic else eta
            value = np.logaddexp(0, eta) - self.y * eta if self.logistic else 0.5 * (self.y - eta) ** 2
            return value, (mean - self.y)[:, None]

        mean = 1 / (1 + np.exp(-outputs))
        curve = mean * (1 - mean) if self.logistic else np.ones(len(mean))
        return Linearised(
            self.X[:, None, :], losses(np.zeros((len(mean), 1)))[1], curve[:, None, None], self.s, losses
        )

    def fitted(self, alpha, factor):
        self.at = super().fitted(alpha, factor)
        return self.at


def network(
    model: Model,
    alpha: float = 0.1,
    factor: np.ndarray | None = None,
    moved: float = 0.0,
    hessian: np.ndarray | None = None,
    measured: bool = True,
    sample: dict[str, Any] | None = None,
    **changes: Any,
) -> KrylovPath:
    """The path of a model trained at ``alpha``, its weights then moved away from the minimum."""
    d = np.ones(WEIGHTS) if factor is None else factor
    w = model.fitted(alpha, d) + moved * np.random.default_rng(1).normal(size=WEIGHTS)
    n, zeros = len(model.X), np.zeros(WEIGHTS)
    facts = Sample(n, n, n, "precision", False, zeros, zeros + 1, np.zeros(1), np.full(1, np.nan), "float64")
    fit = Fit(
        w[:, None],
        model.train_gradient(w)[:, None],
        alpha,
        MatrixCurvature(model.hessian(w) if hessian is None else hessian),
        d,
        np.ones(WEIGHTS, dtype=bool),
        loss=LOSSES["logistic"] if model.logistic else SQUARED,
        sample=replace(facts, **(sample or {})),
    )
    start = float(model.train(w).mean)
    return replace(krylov_path(fit, LAYERS, model if measured else None, start), **changes)


def slope(curve: Any, alpha: float, step: float = 1e-4) -> float:
    """``dR/d log α`` by central differences."""
    return float(curve(alpha * np.exp(step)) - curve(alpha * np.exp(-step))) / (2 * step)
