"""The slow answers for generalised linear models are right: finite differences, peers, and refits."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from sklearn.linear_model import GammaRegressor, LogisticRegression, PoissonRegressor, TweedieRegressor

import glm_criteria as criteria
import glm_oracles as oracles
from glm_losses import deviance_of
from glm_problems import CASES, CONVEX, LOSSES, breast_cancer, cpunish, make, scotland, spector, star98

PENALISED_ALIKE = ["precision weights", "frequency weights", "no intercept", "wide"]


# --- losses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [*LOSSES, "squared", "tweedie:1.2"])
def test_slopes_and_curvatures_are_differences(loss):
    problem, h = make(0, loss, n=20), 1e-5
    y, eta = problem.response, np.random.default_rng(1).normal(size=(20, problem.outputs))
    given = deviance_of(loss)
    for k in range(problem.outputs):
        step = h * np.eye(problem.outputs)[k]
        value = (given.value(y, eta + step) - given.value(y, eta - step)) / (2 * h)
        assert_allclose(given.slope(y, eta)[:, k], value, atol=1e-7 * (1 + np.abs(value).max()))
        slope = (given.slope(y, eta + step) - given.slope(y, eta - step)) / (2 * h)
        assert_allclose(given.curvature(y, eta)[:, :, k], slope, atol=1e-7 * (1 + np.abs(slope).max()))


@pytest.mark.parametrize("loss", ["poisson", "gamma", "inverse_gaussian", "tweedie", "tweedie:1.2"])
def test_deviances_are_those_of_statsmodels(loss):
    family = {
        "poisson": sm.families.Poisson(),
        "gamma": sm.families.Gamma(sm.families.links.Log()),
        "inverse_gaussian": sm.families.InverseGaussian(sm.families.links.Log()),
        "tweedie": sm.families.Tweedie(var_power=1.5),
        "tweedie:1.2": sm.families.Tweedie(var_power=1.2),
    }[loss]
    y, eta = np.array([0.3, 1.0, 4.0]), np.array([[0.1], [0.0], [2.0]])
    given = deviance_of(loss)
    for i in range(3):
        found = given.value(y[[i]], eta[[i]])[0]
        assert found == pytest.approx(family.deviance(y[[i]], np.exp(eta[i])) / 2, rel=1e-10)
    assert_allclose(given.value(y, np.log(y)[:, None]), 0.0, atol=1e-14)


# --- solutions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("loss", LOSSES)
def test_no_step_leads_down(loss, case):
    problem = make(3, loss, **CASES[case])
    rng = np.random.default_rng(0)
    for alpha in (0.01, 1.0):
        theta = oracles.solve(problem, alpha)
        lowest = oracles.objective(problem, alpha, theta)
        for size in (1e-1, 1e-3):
            step = size * rng.normal(size=theta.shape)
            assert oracles.objective(problem, alpha, theta + step) > lowest
        assert oracles.certificate(problem, alpha, oracles.coef(problem, theta)) < 1e-11


@pytest.mark.parametrize("case", PENALISED_ALIKE)
def test_solutions_are_those_of_scikit_learn(case):
    for loss, alpha in (("logistic", 0.02), ("multinomial", 0.02), ("poisson", 0.3), ("gamma", 0.1)):
        problem = make(3, loss, **CASES[case], offset=False)
        theta, how = oracles.solve(problem, alpha), {"tol": 1e-12, "fit_intercept": problem.intercept}
        peer = {
            "logistic": LogisticRegression(C=1 / (problem.weights.sum() * alpha), max_iter=10_000, **how),
            "multinomial": LogisticRegression(C=1 / (problem.weights.sum() * alpha), max_iter=10_000, **how),
            "poisson": PoissonRegressor(alpha=alpha, solver="newton-cholesky", **how),
            "gamma": GammaRegressor(alpha=alpha, solver="newton-cholesky", **how),
        }[loss].fit(problem.X, problem.y, problem.s)
        rtol = 1e-9 if loss in ("poisson", "gamma") else 1e-5
        assert_allclose(np.squeeze(peer.coef_), oracles.coef(problem, theta), rtol=rtol, atol=rtol)
        assert_allclose(np.squeeze(peer.intercept_), oracles.intercept(problem, theta), rtol=rtol, atol=rtol)


def test_tweedie_is_that_of_scikit_learn():
    problem = make(3, "tweedie:1.3", weights="precision")
    peer = TweedieRegressor(power=1.3, alpha=0.1, link="log", solver="newton-cholesky", tol=1e-12)
    peer.fit(problem.X, problem.y, problem.s)
    assert_allclose(peer.coef_, oracles.coef(problem, oracles.solve(problem, 0.1)), rtol=1e-9)


FAMILIES = {
    "logistic": sm.families.Binomial(),
    "binomial": sm.families.Binomial(),
    "poisson": sm.families.Poisson(),
    "gamma": sm.families.Gamma(sm.families.links.Log()),
    "inverse_gaussian": sm.families.InverseGaussian(sm.families.links.Log()),
}


@pytest.mark.parametrize("loss", FAMILIES)
def test_without_penalty_everything_is_that_of_statsmodels(loss):
    problem = make(3, loss, n=60, p=3)
    model = sm.GLM(problem.y, problem.design, family=FAMILIES[loss], offset=problem.offset)
    peer = model.fit(method="newton", max_start_irls=20, tol=1e-12, maxiter=200)
    theta = oracles.solve(problem, 0.0)
    assert_allclose(theta[:, 0], peer.params, rtol=1e-6, atol=1e-8)
    mean = problem.deviance.value(problem.response, oracles.predictor(problem, theta))
    assert peer.deviance / 2 == pytest.approx(problem.weights @ mean, rel=1e-9)
    errors = np.sqrt(np.diag(criteria.covariance(problem, 0.0)[0]))
    assert_allclose(errors, peer.bse, rtol=1e-5)
    assert criteria.gamma(problem, 0.0) == pytest.approx(4.0, abs=1e-9)


def test_flat_directions_are_not_counted():
    problem = make(3, "multinomial", free=1)
    assert criteria.gamma(problem, np.inf) == pytest.approx(4.0)  # two of intercept, two of the free column
    assert criteria.gamma(problem, 1e12) == pytest.approx(4.0, abs=1e-6)
    collinear = make(3, "logistic", free=2, collinear_free=True)
    assert criteria.gamma(collinear, np.inf) == pytest.approx(2.0)
    assert criteria.gamma(collinear, 1e12) == pytest.approx(2.0, abs=1e-6)


def test_real_data_can_be_solved():
    for problem in (breast_cancer(), spector(), cpunish(), scotland(), star98()):
        for alpha in (1e-3, 1.0):
            theta = oracles.solve(problem, alpha)
            assert oracles.certificate(problem, alpha, oracles.coef(problem, theta)) < 1e-10


# --- the certificate and leaving out ------------------------------------------------------------------


@pytest.mark.parametrize("loss", CONVEX)
def test_the_bound_holds_for_any_vector(loss):
    problem = make(3, loss, free=1, factors=True, weights="precision")
    rng, alpha = np.random.default_rng(0), 0.05
    truth = oracles.coef(problem, oracles.solve(problem, alpha))
    for size in (1e-6, 1e-2):
        wrong = truth + size * rng.normal(size=truth.shape)
        assert oracles.distance(problem, wrong, truth) <= oracles.certificate(problem, alpha, wrong)


def test_no_offset_of_a_vector_is_missed():
    """With free weights not solved the bound proves nothing: shifting them must not lower it."""
    problem = make(3, "logistic", free=2)
    wrong = oracles.coef(problem, oracles.solve(problem, 0.1)) + np.r_[0.1, np.zeros(5)]
    moved = wrong + np.r_[np.zeros(4), 3.0, -2.0]
    assert oracles.certificate(problem, 0.1, wrong) == pytest.approx(
        oracles.certificate(problem, 0.1, moved), rel=1e-9
    )


@pytest.mark.parametrize("loss", [*CONVEX, "squared"])
@pytest.mark.parametrize("weights", [None, "precision", "frequency"])
def test_the_formula_for_leaving_out_comes_near_refits(loss, weights):
    problem = make(3, loss, n=60, p=4, weights=weights, free=1)
    problem = problem.with_(kind="precision") if loss == "binomial" else problem
    near = criteria.approximate(problem, 0.3)
    refits = criteria.copy_left_out if problem.kind == "frequency" else None
    exact = refits(problem, 0.3) if refits else criteria.refitted(problem, 0.3, np.arange(60))
    moved = np.abs(exact.eta - oracles.predictor(problem, oracles.solve(problem, 0.3))).max()
    assert np.abs(near.eta - exact.eta).max() <= (1e-9 if loss == "squared" else 0.4) * moved


@pytest.mark.parametrize("loss", ["squared", "logistic", "multinomial", "poisson"])
def test_the_formula_for_groups_comes_near_refits(loss):
    problem = make(3, loss, n=60, p=4, weights="precision")
    groups = np.arange(60) % 20
    near = criteria.approximate(problem, 0.3, groups)
    exact = criteria.refitted(problem, 0.3, groups)
    moved = np.abs(exact.eta - oracles.predictor(problem, oracles.solve(problem, 0.3))).max()
    assert np.abs(near.eta - exact.eta).max() <= (1e-9 if loss == "squared" else 0.4) * moved


def test_groups_of_one_are_rows():
    problem = make(3, "multinomial", weights="precision")
    alone = criteria.approximate(problem, 0.1, np.arange(50))
    assert_allclose(alone.eta, criteria.approximate(problem, 0.1).eta, rtol=1e-12)


def test_evidence_is_that_of_the_integral():
    """One penalised weight, no intercept: Laplace is near the integral over that weight."""
    problem = make(3, "logistic", n=80, p=1, intercept=False)
    grid = np.linspace(-15, 15, 20_001)
    S = problem.weights.sum()

    def integral(alpha):
        prior = np.sqrt(S * alpha) * np.exp(-S * alpha / 2 * grid**2)
        losses = np.array([oracles.loss(problem, np.array([[w]])) for w in grid[::20]])
        return -np.log(np.sum(prior[::20] * np.exp(-S * losses)))

    change = criteria.evidence(problem, 0.5) - criteria.evidence(problem, 0.01)
    assert change == pytest.approx(integral(0.5) - integral(0.01), abs=2e-2)
