"""Effective parameters, evidence and covariances of GLMs against dense matrices (M9, M14, M15)."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

import glm_criteria as criteria
import glm_oracles as oracles
from glm_problems import CASES, CONVEX, LOSSES, anchors_of, between, make

BETWEEN = np.array([0.0137, 0.219, 3.3])
KNOWN = ("logistic", "multinomial", "poisson", "binomial")  # dispersion one


# --- effective parameters -----------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("loss", CONVEX)
def test_effective_parameters_are_a_trace(loss, case):
    problem = make(3, loss, **CASES[case])
    path = problem.study().path
    for alphas, rtol in ((anchors_of(path), 1e-8), (BETWEEN, between(loss))):
        expected = [criteria.gamma(problem, alpha) for alpha in alphas]
        assert_allclose(path.effective_parameters(alphas), expected, rtol=rtol)


@pytest.mark.parametrize("case", CASES)
def test_negative_curvature_keeps_nothing(case):
    """Where the loss is not convex, γ counts the directions along which it bends upwards."""
    problem = make(3, "inverse_gaussian", **CASES[case])
    path = problem.study().path
    for alphas, rtol in ((anchors_of(path), 1e-8), (BETWEEN, 1e-2)):
        expected = [criteria.shares(problem, alpha).sum() for alpha in alphas]
        assert_allclose(path.effective_parameters(alphas, penalised_only=True), expected, rtol=rtol)


@pytest.mark.parametrize("loss", LOSSES)
def test_effective_parameters_run_from_rank_to_the_free_rank(loss):
    problem = make(6, loss, 200, 4, signal=0.5, free=1)
    path = problem.study().path
    c = 2 if loss == "multinomial" else 1
    assert path.effective_parameters(0.0) == pytest.approx(5 * c, abs=1e-6)
    assert path.effective_parameters(1e-9) == pytest.approx(5 * c, abs=1e-3)
    assert path.effective_parameters(1e9) == pytest.approx(2 * c, abs=1e-3)
    assert path.effective_parameters(np.inf) == pytest.approx(2 * c, abs=1e-12)
    assert path.effective_parameters(np.inf, penalised_only=True) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_shares_lie_between_nothing_and_all_and_add_up(loss):
    path = make(3, loss, free=1, factors=True).study().path
    for alphas, rtol in ((anchors_of(path), 1e-8), (BETWEEN, 1e-3)):
        shares = path.shrinkage(alphas)
        assert np.all((shares >= 0.0) & (shares <= 1.0))
        penalised = path.effective_parameters(alphas, penalised_only=True)
        assert_allclose(shares.sum(axis=1), penalised, rtol=rtol)
        assert_allclose(path.effective_parameters(alphas) - penalised, 4 if loss == "multinomial" else 2)


@pytest.mark.parametrize("loss", ["logistic", "poisson"])
def test_shares_are_those_of_the_weighted_hessian(loss):
    problem = make(3, loss, factors=True, weights="precision")
    path = problem.study().path
    for alpha in anchors_of(path):
        found = np.sort(path.shrinkage(alpha))[::-1]
        assert_allclose(found, criteria.shares(problem, alpha), rtol=1e-7)


# --- what is made of them -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how", [{}, {"free": 1, "factors": True, "weights": "precision"}, {"n": 30, "p": 40}]
)
@pytest.mark.parametrize("loss", KNOWN)
def test_evidence_is_the_integral_of_laplace(loss, how):
    problem = make(3, loss, **how)
    if loss == "binomial":
        problem = problem.with_(s=None)
    curve = problem.study().risk["evidence"]
    places = np.array([0.02, 0.11, 0.7, 5.0])
    expected = np.array([criteria.evidence(problem, alpha) for alpha in places])
    found = curve(places)
    assert_allclose(found - found[0], expected - expected[0], atol=1e-3)
    assert curve.unit == "negative log marginal likelihood"


def test_the_strength_of_largest_evidence_has_no_better_neighbour():
    for loss in ("logistic", "poisson"):
        problem = make(3, loss, n=80)
        found = problem.study(criterion="evidence").alpha
        assert 0 < found < np.inf
        lowest = criteria.evidence(problem, found)
        for factor in (0.5, 0.9, 1.1, 2.0):
            assert criteria.evidence(problem, found * factor) >= lowest - 1e-4


@pytest.mark.parametrize("weights", [None, "precision", "frequency"])
@pytest.mark.parametrize("loss", KNOWN)
def test_optimism_at_fixed_columns(loss, weights):
    """Cp = training loss + ``φγ/S`` (M14)."""
    problem = make(3, loss, weights=weights)
    risk, S = problem.study().risk, problem.weights.sum()
    for alpha in BETWEEN:
        training = oracles.loss(problem, oracles.solve(problem, alpha))
        assert risk["cp"](alpha) == pytest.approx(training + criteria.gamma(problem, alpha) / S, rel=1e-3)
        left_out = risk["leave_group_out" if "leave_group_out" in risk else "loo"](alpha)
        assert risk["optimism"](alpha) == pytest.approx(left_out - risk["train"](alpha), rel=1e-9)


# --- covariances --------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [{}, {"free": 1, "factors": True}, {"intercept": False}, {"n": 30, "p": 40}])
@pytest.mark.parametrize("kind", ["frequentist", "bayesian"])
@pytest.mark.parametrize("loss", ["logistic", "binomial", "poisson", "gamma", "tweedie"])
def test_covariances_are_those_of_dense_matrices(loss, kind, how):
    problem = make(3, loss, weights="precision", **how)
    study = problem.study()
    for alpha in (0.05, 1.0):
        expected = criteria.covariance(problem, alpha, kind)[0]
        found = study.covariance(alpha, kind=kind)
        assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
        errors = np.sqrt(np.diag(expected))
        assert_allclose(study.standard_errors(alpha, kind=kind), errors, rtol=1e-3)


@pytest.mark.parametrize("weights", [None, "precision", "frequency"])
def test_dispersion_is_that_of_pearson(weights):
    problem = make(3, "gamma", weights=weights)
    for alpha in (0.02, 0.5):
        study = problem.study(alpha=alpha)
        assert study.dispersion == pytest.approx(criteria.dispersion(problem, alpha), rel=1e-4)
    assert make(3, "poisson").study().dispersion == 1.0


def test_standard_errors_of_classes():
    problem = make(3, "multinomial", weights="precision")
    study = problem.study()
    expected = criteria.covariance(problem, 0.1)
    assert study.covariance(0.1).shape == (3, 7, 7)
    assert_allclose(study.covariance(0.1), expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
    errors = np.sqrt(np.einsum("cii->ci", expected))
    assert_allclose(study.standard_errors(0.1), errors, rtol=1e-3)


@pytest.mark.parametrize("loss", ["logistic", "binomial", "poisson", "gamma"])
def test_standard_errors_without_penalty_are_those_of_statsmodels(loss):
    family = {
        "logistic": sm.families.Binomial(),
        "binomial": sm.families.Binomial(),
        "poisson": sm.families.Poisson(),
        "gamma": sm.families.Gamma(sm.families.links.Log()),
    }[loss]
    problem = make(3, loss, n=120, p=4, signal=0.5)
    model = sm.GLM(problem.y, problem.design, family=family, offset=problem.offset)
    peer = model.fit(method="newton", max_start_irls=20, tol=1e-13, maxiter=200)
    study = problem.study()
    assert_allclose(study.coef(0.0), peer.params[:-1], rtol=1e-7, atol=1e-9)
    assert_allclose(study.standard_errors(0.0), peer.bse, rtol=1e-6)
    assert_allclose(study.covariance(0.0), peer.cov_params(), rtol=1e-5, atol=1e-9)
    assert study.path.effective_parameters(0.0) == pytest.approx(peer.df_model + 1)
