"""Leave-one-out and GCV of the linearised network against refits of its quadratic, one by one (M14)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import eigenshrink as es
from eigenshrink.choice import choose
from eigenshrink.curvature import MatrixCurvature
from eigenshrink.errors import InputError
from eigenshrink.models import SQUARED
from eigenshrink.path import Linearised, RowLosses
from eigenshrink.path.products import krylov_path
from eigenshrink.risk import RISKS, linearised
from eigenshrink.risk.curves import Curves
from posed_networks import LAYERS, WEIGHTS, Model, Rows, network, slope

FREE = np.array([1.0, 1, 0, 1, 2, 1, 1, 0.5, 1])
ALPHAS = np.array([3e-3, 0.02, 0.1, 0.3, 1.7])


class Softmax:
    """Three classes, weighted rows, features that a hidden layer might give; moved away from its minimum.

    Over so few rows its loss is far from quadratic: what is measured is the quadratic, trusted everywhere.
    """

    judges, n, p, c = 0, 25, 4, 3

    def __init__(self, seed=0):
        rng = np.random.default_rng(seed)
        self.X = rng.normal(size=(self.n, self.p))
        self.y = rng.integers(0, self.c, self.n)
        self.s = rng.uniform(0.2, 2.0, self.n)
        self.at = rng.normal(size=self.p * self.c) * 0.3
        self.J = np.einsum("np,cd->ncdp", self.X, np.eye(self.c)).reshape(self.n, self.c, -1)

    def said(self, eta):
        shares = np.exp(eta - np.logaddexp.reduce(eta, axis=1)[:, None])
        own = eta[np.arange(self.n), self.y]
        return np.logaddexp.reduce(eta, axis=1) - own, shares - np.eye(self.c)[self.y], shares

    def train(self, w):
        linear, moved = self.linearised(), self.J @ (w - self.at)
        values = self.said(self.J @ self.at)[0] + np.einsum("nc,nc->n", linear.slope, moved)
        return RowLosses(values + 0.5 * np.einsum("nc,ncd,nd->n", moved, linear.curvature, moved), self.s)

    def train_gradient(self, w):
        linear, moved = self.linearised(), self.J @ (w - self.at)
        slopes = linear.slope + np.einsum("ncd,nd->nc", linear.curvature, moved)
        return np.einsum("n,nc,ncp->p", self.s, slopes, self.J) / self.s.sum()

    validation, validation_gradient = train, train_gradient

    def linearised(self):
        start = self.J @ self.at
        _, slopes, shares = self.said(start)
        C = np.einsum("nc,cd->ncd", shares, np.eye(self.c)) - np.einsum("nc,nd->ncd", shares, shares)
        return Linearised(self.J, slopes, C, self.s, lambda change: self.said(start + change)[:2])

    def path(self, factor=None):
        linear = self.linearised()
        H = np.einsum("n,nca,ncd,ndb->ab", self.s, self.J, linear.curvature, self.J) / self.s.sum()
        like = network(Model(rows=self.n), sample={"weight_sum": float(self.s.sum())})
        d = np.ones(len(self.at)) if factor is None else factor
        fit = replace(
            like.fit,
            weights=self.at[:, None],
            gradient=self.train_gradient(self.at)[:, None],
            curvature=MatrixCurvature(H),
            penalty_factor=d,
            active=np.ones(len(d), dtype=bool),
        )
        return krylov_path(fit, LAYERS[:0], self, self.train(self.at).mean)


def refitted(problem, path, alpha):
    """The true loss of each row at the outputs of the quadratic that was minimised without it."""
    linear, d, w = problem.linearised(), path.fit.penalty_factor, problem.at
    n, t, _ = linear.jacobian.shape
    change = np.empty((n, t))
    for out in range(n):
        s = linear.weights.copy()
        s[out] = 0.0
        J, C = linear.jacobian, linear.curvature
        H = np.einsum("n,nca,ncd,ndb->ab", s, J, C, J) / linear.weights.sum()
        g = np.einsum("n,nc,nca->a", s, linear.slope, J) / linear.weights.sum()
        step = -np.linalg.lstsq(H + alpha * np.diag(d), g + alpha * d * w, rcond=None)[0]
        change[out] = J[out] @ step
    return linear.losses(change)[0]


def loss_without(problem, path, alpha):
    return float(refitted(problem, path, alpha) @ problem.s / problem.s.sum())


@pytest.mark.parametrize("factor", [None, FREE])
def test_squared_loss_is_that_of_the_table(factor):
    model = Rows(judges=0)
    study = es.study(model.X, model.y, fit_intercept=False, penalty_factor=factor)
    path = network(model, factor=factor)
    for name in ("loo", "gcv"):
        ours, theirs = RISKS[name](path), study.risk[name]
        np.testing.assert_allclose(ours(ALPHAS), theirs(ALPHAS), rtol=1e-9)
        np.testing.assert_allclose(ours.derivative(ALPHAS), theirs.derivative(ALPHAS), rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(ours(np.array([0.0, np.inf])), theirs(np.array([0.0, np.inf])), rtol=1e-9)
        assert ours.minimum.alpha == pytest.approx(theirs.minimum.alpha, rel=1e-4)
    ours, theirs = RISKS["loo"](path), study.risk["loo"]
    np.testing.assert_allclose(ours.standard_error(ALPHAS), theirs.standard_error(ALPHAS), rtol=1e-3)
    np.testing.assert_allclose(ours.interval, theirs.interval, rtol=1e-2)


@pytest.mark.parametrize("logistic", [False, True])
def test_one_output_is_that_of_the_quadratic_without_the_row(logistic):
    model = Rows(logistic, rows=30, judges=0)
    model.s = np.random.default_rng(1).uniform(0.5, 2.0, 30)
    path, moved = network(model), []
    for alpha in np.geomspace(*np.clip(path.trusted, 0.002, 3.0), 5):
        place = float(path.place(alpha))
        assert RISKS["loo"](path)(alpha) == pytest.approx(loss_without(model, path, place), rel=1e-9)
        moved.append(abs(np.log(place / alpha)))
    assert (max(moved) > 0.05) == logistic


@pytest.mark.parametrize("free", [(), (1, 7)])
def test_several_outputs_are_too(free):
    problem = Softmax()
    factor = np.ones(len(problem.at))
    factor[list(free)] = 0.0
    path = problem.path(factor)
    curve = RISKS["loo"](path)
    for alpha in (0.01, 0.1, 1.0):
        assert curve(alpha) == pytest.approx(loss_without(problem, path, alpha), rel=1e-8)
        assert curve.derivative(alpha) == pytest.approx(slope(curve, alpha), rel=1e-5, abs=1e-9)


def test_blocks_of_rows_make_no_difference(monkeypatch):
    path = Softmax().path()
    whole = RISKS["loo"](path)(0.1)
    monkeypatch.setattr(linearised, "TOGETHER", 1)
    assert RISKS["loo"](path)(0.1) == pytest.approx(whole, rel=1e-13)


def test_rows_without_weight_are_neither_left_out_nor_judged():
    full = Softmax()
    full.s[20:] = 0.0
    part = Softmax()
    part.n, part.X, part.y, part.s, part.J = 20, part.X[:20], part.y[:20], part.s[:20], part.J[:20]
    ours, theirs = (RISKS["loo"](problem.path()) for problem in (full, part))
    np.testing.assert_allclose(ours(ALPHAS), theirs(ALPHAS), rtol=1e-10)
    np.testing.assert_allclose(ours.standard_error(ALPHAS), theirs.standard_error(ALPHAS), rtol=1e-8)


def test_a_row_that_alone_determines_its_output_is_infinite_without_decay():
    model = Rows(judges=0)
    model.X[:, 4] = 0.0
    model.X[0, 4] = 1.0
    path = network(model)
    curve = RISKS["loo"](path)
    assert np.isposinf(curve(0.0))
    assert curve(1e-5) == pytest.approx(loss_without(model, path, 1e-5), rel=1e-6)
    assert curve.minimum.alpha > 0


def test_they_are_offered_beside_evidence_and_never_choose_by_themselves():
    path = network(Rows(judges=0))
    assert {"loo", "gcv", "evidence"} <= set(path.available_risks)
    curves = Curves(path, {}, lambda: np.array([0.1]))
    choice = choose(path, curves)
    assert choice.criterion == "evidence"
    assert set(choice.agreement.optima) == {"loo", "gcv", "evidence"}
    asked = choose(path, curves, "loo")
    assert asked.criterion == "loo"
    assert asked.interval[0] < asked.alpha < asked.interval[1]


def test_they_are_refused_where_they_mean_nothing():
    plain = network(Model())
    assert "loo" not in plain.available_risks
    assert "gcv" in plain.available_risks
    mse = replace(plain.fit, loss=replace(SQUARED, name="mse", convex=False, unit="mean squared error"))
    assert "gcv" in replace(plain, fit=mse).available_risks
    assert RISKS["gcv"](replace(plain, fit=mse)).unit == "mean squared error"
    known = replace(plain.fit, loss=replace(SQUARED, name="gaussian_nll", known_dispersion=True))
    assert "gcv" not in replace(plain, fit=known).available_risks
    with pytest.raises(InputError, match="only a small network"):
        RISKS["loo"](plain)
    with pytest.raises(InputError, match="gcv is for squared loss, and the loss here is logistic"):
        RISKS["gcv"](network(Model(logistic=True)))
    H = plain.fit.curvature.dense - 0.05 * np.eye(WEIGHTS)
    bent = network(Rows(), hessian=H)
    assert {"loo", "gcv"}.isdisjoint(bent.available_risks)
    with pytest.raises(InputError, match="gcv needs a curvature without negative part"):
        RISKS["gcv"](bent)
    inexact = replace(network(Rows()), bound=lambda alphas: np.zeros(len(alphas)))
    assert "loo" not in inexact.available_risks
