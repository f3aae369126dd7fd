"""The same numbers as other packages, asked for through the converter."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.sparse
import statsmodels.api as sm
from glum import GeneralizedLinearRegressor
from numpy.testing import assert_allclose
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import ElasticNet, LinearRegression, Ridge, RidgeCV

import eigenshrink as es
from oracles import CASES, Problem, make

ALPHAS = np.array([1e-3, 0.05, 1.0, 30.0])
PENALISED_ALIKE = [case for case, how in CASES.items() if not how.get("free") and not how.get("factors")]


def number(problem: Problem, alpha: float, peer: str, **facts) -> float:
    converted = es.convert(
        alpha, to=peer, weight_sum=problem.weights.sum(), rows=len(problem.y), loss="squared", **facts
    )
    assert converted is not None
    return converted


# --- scikit-learn -------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", PENALISED_ALIKE)
@pytest.mark.parametrize("wrap", [np.asarray, scipy.sparse.csr_matrix])
def test_ridge(case, wrap):
    problem = make(3, **CASES[case])
    study = problem.study(criterion="evidence")
    solver = "cholesky" if wrap is np.asarray else "sparse_cg"
    for alpha in ALPHAS:
        strength = number(problem, alpha, "sklearn.Ridge")
        peer = Ridge(strength, fit_intercept=problem.intercept, solver=solver, tol=1e-14, max_iter=10_000)
        peer.fit(wrap(problem.X), problem.y, problem.s)
        assert_allclose(np.ravel(study.coef(alpha)), np.ravel(peer.coef_), rtol=1e-7, atol=1e-10)
        assert_allclose(np.ravel(study.intercept(alpha)), peer.intercept_, rtol=1e-7, atol=1e-9)
        fitted = study.predict(problem.X, alpha)
        assert_allclose(np.ravel(fitted), np.ravel(peer.predict(problem.X)), rtol=1e-7)


def test_ridge_with_a_strength_per_target():
    problem = make(3, 25, 5, t=3, weights="precision")
    alphas = np.array([0.01, 1.0, 20.0])
    peer = Ridge(number(problem, alphas, "sklearn.Ridge"), solver="svd").fit(problem.X, problem.y, problem.s)
    assert_allclose(problem.study().coef(per_target=alphas), peer.coef_, rtol=1e-10)


def test_kernel_ridge_on_centred_rows():
    problem = make(3, 12, 20, intercept=False)
    peer = KernelRidge(alpha=number(problem, 0.3, "sklearn.KernelRidge"), kernel="linear")
    peer.fit(problem.X, problem.y)
    assert_allclose(problem.study().predict(problem.X, 0.3), peer.predict(problem.X), rtol=1e-9)


def test_elastic_net_without_its_other_half():
    problem = make(3, 25, 5, weights="precision")
    strength = number(problem, 0.3, "sklearn.ElasticNet")
    peer = ElasticNet(strength, l1_ratio=0, tol=1e-15, max_iter=100_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that l1_ratio = 0 is not what it is made for
        peer.fit(problem.X, problem.y, problem.s)
    assert_allclose(problem.study().coef(0.3), peer.coef_, rtol=1e-7)


@pytest.mark.parametrize("shape", [(25, 5), (12, 20)])
def test_no_penalty_is_least_squares_and_its_shortest_solution(shape):
    problem = make(3, *shape, weights="precision")
    peer = LinearRegression().fit(problem.X, problem.y, problem.s)
    assert_allclose(problem.study().coef(0.0), peer.coef_, atol=1e-9)


@pytest.mark.parametrize("shape", [(25, 5), (12, 20)])
@pytest.mark.parametrize("intercept", [True, False])
def test_ridge_cv_finds_the_same_leave_one_out_errors(shape, intercept):
    problem = make(3, *shape, t=3, intercept=intercept)
    strengths = number(problem, ALPHAS, "sklearn.RidgeCV")
    peer = RidgeCV(strengths, fit_intercept=intercept, store_cv_results=True, alpha_per_target=True)
    peer.fit(problem.X, problem.y)
    study = problem.study()
    errors = peer.cv_results_.mean(axis=0).T  # (a, t), squared and not halved
    assert_allclose(2 * study.risk["loo"](ALPHAS), errors, rtol=1e-9)
    assert_allclose(strengths[np.argmin(study.risk["loo"](ALPHAS), axis=0)], peer.alpha_)


def test_ridge_cv_averages_weighted_errors_over_rows():
    """It gives ``s e²`` averaged over n where the house divides by S."""
    problem = make(3, 25, 5, weights="precision")
    strengths = number(problem, ALPHAS, "sklearn.RidgeCV")
    peer = RidgeCV(strengths, store_cv_results=True).fit(problem.X, problem.y, problem.s)
    errors = peer.cv_results_.mean(axis=0) * 25 / problem.s.sum()
    assert_allclose(2 * problem.study().risk["loo"](ALPHAS), errors, rtol=1e-9)
    assert peer.alpha_ == strengths[np.argmin(problem.study().risk["loo"](ALPHAS))]


def test_ridge_cv_on_a_grid_is_never_better():
    for seed in range(5):
        problem = make(seed, 30, 8, noise=3.0)
        study = problem.study(criterion="loo")
        peer = RidgeCV(30 * np.logspace(-6, 6, 200), store_cv_results=True).fit(problem.X, problem.y)
        assert 2 * study.risk["loo"]() <= peer.cv_results_.mean(axis=0).min() * (1 + 1e-9)


# --- statsmodels --------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, "precision"])
@pytest.mark.parametrize("factors", [False, True])
def test_statsmodels(weights, factors):
    problem = make(3, 25, 5, weights=weights, factors=factors, free=1)
    design, peer = sm.add_constant(problem.X), "statsmodels.OLS" if weights is None else "statsmodels.WLS"
    model = sm.OLS(problem.y, design) if weights is None else sm.WLS(problem.y, design, problem.s)
    for alpha in ALPHAS:
        strength = number(problem, alpha, peer) * np.r_[0.0, problem.factors]
        found = model.fit_regularized(alpha=strength, L1_wt=0).params
        assert_allclose(problem.study().coef(alpha), found[1:], rtol=1e-9)
        assert_allclose(problem.study().intercept(alpha), found[0], rtol=1e-9)


def test_statsmodels_without_penalty():
    problem = make(3, 25, 5, weights="precision")
    found = sm.WLS(problem.y, sm.add_constant(problem.X), problem.s).fit()
    study = problem.study()
    assert_allclose(study.coef(0.0), found.params[1:], rtol=1e-9)
    assert_allclose(2 * study.path.train_loss(0.0) * problem.s.sum(), found.ssr, rtol=1e-9)
    assert study.path.effective_parameters(0.0) == pytest.approx(found.df_model + 1)


# --- glum ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, "precision"])
@pytest.mark.parametrize("how", ["plain", "factors", "standardised"])
def test_glum(weights, how):
    problem = make(3, 25, 5, weights=weights, factors=how == "factors")
    study = problem.study(standardize=how == "standardised")
    for alpha in ALPHAS:
        peer = GeneralizedLinearRegressor(
            alpha=number(problem, alpha, "glum"),
            l1_ratio=0,
            P2=problem.factors if how == "factors" else "identity",
            scale_predictors=how == "standardised",
            gradient_tol=1e-13,
        )
        peer.fit(problem.X, problem.y, sample_weight=problem.s)
        assert_allclose(study.coef(alpha), peer.coef_, rtol=1e-8)
        assert_allclose(study.intercept(alpha), peer.intercept_, rtol=1e-8)


# --- the study's own list -----------------------------------------------------------------------------


def test_the_study_converts_its_own_strength():
    problem = make(3, 25, 5, weights="precision")
    study = problem.study(alpha=0.3)
    peer = Ridge(study.equivalents["sklearn.Ridge"], solver="svd").fit(problem.X, problem.y, problem.s)
    assert_allclose(study.coef(), peer.coef_, rtol=1e-10)
