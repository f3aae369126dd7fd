"""The slope of the validation loss against fitting again at neighbouring strengths (M13)."""

from __future__ import annotations

import numpy as np
import pytest

from eigenshrink.curvature import MatrixCurvature, OperatorCurvature
from eigenshrink.fit import Fit
from eigenshrink.path import Layer, RowLosses
from eigenshrink.path.products import krylov_path
from eigenshrink.path.solve import System
from network_studies import sample_of

ROWS, WEIGHTS, JUDGES = 90, 14, 60
LAYERS = (Layer("first", 0, 6), Layer("second", 6, 11), Layer("head", 11, WEIGHTS))


class Ridge:
    """Squared loss with factors by layer; every fit is one solve."""

    def __init__(self, seed: int, free: bool) -> None:
        rng = np.random.default_rng(seed)
        true = rng.normal(size=WEIGHTS)
        self.X, self.Z = rng.normal(size=(ROWS, WEIGHTS)), rng.normal(size=(JUDGES, WEIGHTS))
        self.y = self.X @ true + rng.normal(size=ROWS)
        self.z = self.Z @ true + rng.normal(size=JUDGES)
        self.d = rng.uniform(0.5, 2.0, size=WEIGHTS)
        if free:
            self.d[[2, 12]] = 0.0
        self.H = self.X.T @ self.X / ROWS

    judges = JUDGES

    def fitted(self, alphas: np.ndarray) -> np.ndarray:
        return np.linalg.solve(self.H + np.diag(alphas * self.d), self.X.T @ self.y / ROWS)

    def train(self, w: np.ndarray) -> RowLosses:
        return RowLosses(0.5 * np.square(self.y - self.X @ w), np.ones(ROWS))

    def validation(self, w: np.ndarray) -> RowLosses:
        return RowLosses(0.5 * np.square(self.z - self.Z @ w), np.ones(JUDGES))

    def train_gradient(self, w: np.ndarray) -> np.ndarray:
        return self.H @ w - self.X.T @ self.y / ROWS

    def validation_gradient(self, w: np.ndarray) -> np.ndarray:
        return self.Z.T @ (self.Z @ w - self.z) / JUDGES

    def path(self, alpha: float, **options: object):
        w = self.fitted(np.full(WEIGHTS, alpha))
        fit = Fit(
            weights=w[:, None],
            gradient=self.train_gradient(w)[:, None],
            alpha=alpha,
            curvature=MatrixCurvature(self.H),
            penalty_factor=self.d,
            active=np.ones(WEIGHTS, dtype=bool),
            sample=sample_of(ROWS, ROWS, WEIGHTS),
        )
        return krylov_path(fit, LAYERS, self, self.train(w).mean, **options)

    def slope(self, alpha: float, places: slice, step: float = 1e-4) -> float:
        """``dV/d log α`` of some weights by fitting again on either side."""
        values = []
        for sign in (1.0, -1.0):
            alphas = np.full(WEIGHTS, alpha)
            alphas[places] *= np.exp(sign * step)
            values.append(self.validation(self.fitted(alphas)).mean)
        return (values[0] - values[1]) / (2 * step)


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("alpha", [0.003, 0.1, 2.0])
def test_each_layer_and_the_whole_agree_with_fitting_again(alpha, free):
    ridge = Ridge(3, free)
    found = ridge.path(alpha).hypergradient
    assert found.total == pytest.approx(ridge.slope(alpha, slice(None)), rel=1e-6)
    for layer in LAYERS:
        assert found.by_group[layer.name] == pytest.approx(ridge.slope(alpha, layer.places), rel=1e-5)
    assert sum(found.by_group.values()) == pytest.approx(found.total, rel=1e-12)


def test_its_standard_error_is_that_of_the_rows_that_judge():
    """By drawing the rows again: 400 bootstrap samples of the same fit."""
    ridge = Ridge(5, False)
    alpha, rng = 0.2, np.random.default_rng(0)
    path = ridge.path(alpha)
    moves = path.slope(alpha)
    each = -(ridge.z - ridge.Z @ path.fit.weights[:, 0]) * (ridge.Z @ moves)
    drawn = [each[rng.integers(0, JUDGES, JUDGES)].mean() for _ in range(400)]
    assert path.hypergradient.standard_error == pytest.approx(np.std(drawn), rel=0.15)


def test_without_rows_that_judge_or_without_decay_there_is_none():
    ridge = Ridge(1, False)
    assert ridge.path(0.0).hypergradient is None
    ridge.judges = 0
    assert ridge.path(0.1).hypergradient is None


def test_advice_names_the_direction_and_keeps_silent_about_noise():
    ridge = Ridge(3, False)
    found = ridge.path(2.0).hypergradient
    for name, value in found.by_group.items():
        expected = "" if abs(value) <= found.standard_error else "raise" if value < 0 else "lower"
        assert found.advice(name) == expected
    assert any(found.advice(name) for name in found.by_group)


def solve(path, alpha, b):
    system = System(path, alpha)
    found, solved = system.solve(system.right(b), 1e-6, 500)
    assert solved
    return found


@pytest.mark.parametrize("free", [False, True])
def test_products_alone_solve_the_same_system(free):
    """Directions that are known only in part are finished by conjugate gradients."""
    ridge = Ridge(7, free)
    whole = ridge.path(0.05)
    b = np.random.default_rng(2).normal(size=WEIGHTS)
    exact = np.linalg.solve(ridge.H + 0.05 * np.diag(ridge.d), b)
    pen = ridge.d > 0
    expected = exact[pen] * np.sqrt(ridge.d[pen])
    assert solve(whole, 0.05, b) == pytest.approx(expected, rel=1e-9)
    ridge_operator = OperatorCurvature(lambda v: ridge.H @ v, WEIGHTS)
    object.__setattr__(whole.quadratic.fit, "curvature", ridge_operator)
    object.__setattr__(whole, "bound", lambda alphas: np.zeros_like(alphas))
    assert solve(whole, 0.05, b) == pytest.approx(expected, rel=1e-5)
