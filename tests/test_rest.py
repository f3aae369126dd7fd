"""Trainings that have not come to rest: followed where the loss falls as predicted, else left (M5, M18)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eigenshrink.curvature import MatrixCurvature
from eigenshrink.fit import Fit
from eigenshrink.path import RowLosses
from eigenshrink.path.products import Effort, krylov_path
from network_studies import sample_of

P, ROWS, ALPHA = 20, 60, 0.01
FREE = (3, 11)


class Bowl:
    """Squared loss, and far from ``w₀`` a wall that no quadratic knows of."""

    judges = 0

    def __init__(self, wall: float, free: bool) -> None:
        rng = np.random.default_rng(4)
        self.X = rng.normal(size=(ROWS, P)) * np.geomspace(1, 1e-3, P)
        self.y = self.X @ rng.normal(size=P) + 0.1 * rng.normal(size=ROWS)
        self.d = np.ones(P)
        self.d[list(FREE) if free else []] = 0.0
        self.H, self.wall = self.X.T @ self.X / ROWS, wall
        best = np.linalg.solve(self.H + ALPHA * np.diag(self.d), self.X.T @ self.y / ROWS)
        self.w0 = best + 0.3 * rng.normal(size=P)

    def train(self, w: np.ndarray) -> RowLosses:
        far = self.wall * float(np.square(w - self.w0).sum()) ** 2
        return RowLosses(0.5 * np.square(self.y - self.X @ w) + far, np.ones(ROWS))

    def validation(self, w: np.ndarray) -> RowLosses:
        raise AssertionError("nothing judges")

    def train_gradient(self, w: np.ndarray) -> np.ndarray:
        away = w - self.w0
        wall = 4 * self.wall * float(np.square(away).sum()) * away
        return self.H @ w - self.X.T @ self.y / ROWS + wall

    validation_gradient = train_gradient

    def path(self, **options):
        fit = Fit(
            weights=self.w0[:, None],
            gradient=self.train_gradient(self.w0)[:, None],
            alpha=ALPHA,
            curvature=MatrixCurvature(self.H),
            penalty_factor=self.d,
            active=np.ones(P, dtype=bool),
            sample=sample_of(ROWS, ROWS, P),
        )
        return krylov_path(fit, (), self, self.train(self.w0).mean, Effort(**options))

    def solved(self, alpha: float, gradient: np.ndarray) -> np.ndarray:
        pull = gradient + alpha * self.d * self.w0
        return self.w0 - np.linalg.solve(self.H + alpha * np.diag(self.d), pull)


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("whole", [3000, 1])
def test_a_quadratic_is_followed_to_its_minimum(whole, free):
    bowl = Bowl(0.0, free)
    path = bowl.path(whole=whole)
    assert not path.rested
    for alpha in (0.001, ALPHA, 0.3):
        expected = bowl.solved(alpha, bowl.train_gradient(bowl.w0))
        assert path.weights(alpha) == pytest.approx(expected, abs=1e-5)
        change = bowl.train(expected).mean - bowl.train(bowl.w0).mean
        assert path.predicted_change(alpha) == pytest.approx(change, rel=1e-5)


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("whole", [3000, 1])
def test_where_the_loss_does_not_fall_as_predicted_the_path_starts_at_the_weights(whole, free):
    bowl = Bowl(10.0, free)
    path = bowl.path(whole=whole)
    assert path.rested
    assert any("had not come to rest" in remark for remark in path.notes.remarks)
    assert path.weights(ALPHA) == pytest.approx(bowl.w0, abs=1e-8)
    still = -ALPHA * bowl.d * bowl.w0
    for alpha in (0.005, 0.03):
        expected = bowl.solved(alpha, still)
        assert path.weights(alpha) == pytest.approx(expected, abs=1e-5)
        moved = expected - bowl.w0
        predicted = bowl.train_gradient(bowl.w0) @ moved + 0.5 * moved @ bowl.H @ moved
        assert path.predicted_change(alpha) == pytest.approx(predicted, rel=1e-4)
        assert np.all(path.residual_bound(alpha) >= np.linalg.norm(path.weights(alpha) - expected) - 1e-12)
    low, high = path.trusted
    assert low <= ALPHA <= high


def test_without_true_losses_nothing_can_be_doubted():
    bowl = Bowl(10.0, False)
    path = bowl.path()
    fit = replace(path.fit)
    assert not krylov_path(fit).rested
