"""The same GLMs as other packages, at strengths between anchors, through the converter."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from glum import GeneralizedLinearRegressor
from numpy.testing import assert_allclose
from sklearn.datasets import load_digits
from sklearn.linear_model import GammaRegressor, LogisticRegression, PoissonRegressor, TweedieRegressor

import eigenshrink as es
import glm_oracles as oracles
from glm_oracles import Glm
from glm_problems import breast_cancer, fair, make, randhie, scotland, spector, wine

BETWEEN = np.array([0.0037, 0.0719, 1.3])
SHAPES = {
    "plain": {},
    "precision weights": {"weights": "precision"},
    "no intercept": {"intercept": False},
    "wide": {"n": 25, "p": 40},
}


def number(problem: Glm, alpha: float, peer: str) -> float:
    facts = {"weight_sum": problem.weights.sum(), "rows": len(problem.y), "loss": problem.loss.split(":")[0]}
    converted = es.convert(alpha, to=peer, **facts)
    assert converted is not None
    return converted


# --- scikit-learn -------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_logistic_regression(shape):
    problem = make(3, "logistic", **SHAPES[shape])
    study = problem.study()
    for alpha in BETWEEN:
        C = number(problem, alpha, "sklearn.LogisticRegression")
        peer = LogisticRegression(
            C=C, solver="newton-cholesky", tol=1e-12, max_iter=1000, fit_intercept=problem.intercept
        ).fit(problem.X, problem.y, problem.s)
        assert_allclose(study.coef(alpha), peer.coef_[0], rtol=1e-7, atol=1e-8)
        assert_allclose(study.intercept(alpha), peer.intercept_[0], rtol=1e-7, atol=1e-8)
        assert_allclose(study.predict(problem.X, alpha), peer.predict_proba(problem.X)[:, 1], atol=1e-7)


@pytest.mark.parametrize("shape", SHAPES)
def test_logistic_regression_of_several_classes(shape):
    problem = make(3, "multinomial", **SHAPES[shape])
    study = problem.study()
    for alpha in BETWEEN:
        C = number(problem, alpha, "sklearn.LogisticRegression")
        peer = LogisticRegression(
            C=C, solver="newton-cholesky", tol=1e-12, max_iter=1000, fit_intercept=problem.intercept
        ).fit(problem.X, problem.y, problem.s)
        shift = np.mean(peer.intercept_)
        assert_allclose(study.coef(alpha), peer.coef_, rtol=1e-6, atol=1e-7)
        assert_allclose(study.intercept(alpha), peer.intercept_ - shift, rtol=1e-6, atol=1e-7)
        assert_allclose(study.predict(problem.X, alpha), peer.predict_proba(problem.X), atol=1e-7)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("loss", "peer", "how"),
    [
        ("poisson", PoissonRegressor, {}),
        ("gamma", GammaRegressor, {}),
        ("tweedie", TweedieRegressor, {"power": 1.5, "link": "log"}),
        ("tweedie:1.2", TweedieRegressor, {"power": 1.2, "link": "log"}),
    ],
)
def test_regressors_of_scikit_learn(loss, peer, how, shape):
    problem = make(3, loss, offset=False, **SHAPES[shape])
    study = problem.study()
    for alpha in BETWEEN:
        strength = number(problem, alpha, f"sklearn.{peer.__name__}")
        found = peer(
            alpha=strength, solver="newton-cholesky", tol=1e-12, max_iter=1000,
            fit_intercept=problem.intercept, **how,
        ).fit(problem.X, problem.y, problem.s)  # fmt: skip
        assert_allclose(study.coef(alpha), found.coef_, rtol=1e-7, atol=1e-8)
        assert_allclose(study.intercept(alpha), found.intercept_, rtol=1e-7, atol=1e-8)
        assert_allclose(study.predict(problem.X, alpha), found.predict(problem.X), rtol=1e-7)


@pytest.mark.parametrize("load", [breast_cancer, fair, spector, wine])
def test_logistic_regression_on_real_data(load):
    problem = load()
    study = problem.study(criterion="evidence")
    for alpha in (3e-4, 0.013, 0.7):
        C = number(problem, alpha, "sklearn.LogisticRegression")
        peer = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-12, max_iter=1000)
        found = np.squeeze(peer.fit(problem.X, problem.y).coef_)
        error = oracles.distance(problem, study.coef(alpha), found)
        assert error <= 1e-7 * np.linalg.norm(found) + study.path.certificate(alpha)


def test_digits_of_which_some_columns_are_empty():
    X, y = load_digits(return_X_y=True)
    problem = Glm("multinomial", X[:400] / 16, y[:400])
    study = problem.study(criterion="evidence")
    C = number(problem, 0.002, "sklearn.LogisticRegression")
    peer = LogisticRegression(C=C, tol=1e-10, max_iter=10_000).fit(problem.X, problem.y)
    assert np.linalg.norm(study.coef(0.002) - peer.coef_) <= 1e-5 * np.linalg.norm(peer.coef_)
    assert np.all(study.coef(0.002)[:, np.ptp(problem.X, axis=0) == 0] == 0.0)


def test_counts_on_real_data():
    problem = randhie(2000)
    study = problem.study()
    for alpha in (3e-4, 0.013, 0.7):
        peer = PoissonRegressor(alpha=alpha, solver="newton-cholesky", tol=1e-12).fit(problem.X, problem.y)
        assert_allclose(study.coef(alpha), peer.coef_, rtol=1e-7, atol=1e-9)


# --- glum ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, "precision"])
@pytest.mark.parametrize(
    ("loss", "family"),
    [
        ("logistic", "binomial"),
        ("poisson", "poisson"),
        ("gamma", "gamma"),
        ("inverse_gaussian", "inverse.gaussian"),
    ],
)
def test_glum(loss, family, weights):
    problem = make(3, loss, weights=weights, factors=True, offset=loss != "logistic")
    study = problem.study()
    for alpha in BETWEEN[1:]:
        peer = GeneralizedLinearRegressor(
            alpha=alpha, l1_ratio=0, P2=problem.d, family=family, gradient_tol=1e-12, max_iter=1000,
            link="logit" if loss == "logistic" else "log",
        ).fit(problem.X, problem.y.astype(float), sample_weight=problem.s, offset=problem.offset)  # fmt: skip
        assert_allclose(study.coef(alpha), peer.coef_, rtol=1e-6, atol=1e-7)
        assert_allclose(study.intercept(alpha), peer.intercept_, rtol=1e-6, atol=1e-7)


# --- statsmodels --------------------------------------------------------------------------------------


FAMILIES = {"logistic": sm.families.Binomial(), "poisson": sm.families.Poisson()}


@pytest.mark.parametrize("loss", FAMILIES)
@pytest.mark.parametrize("factors", [False, True])
def test_fit_regularized(loss, factors):
    problem = make(3, loss, factors=factors, weights="frequency")
    model = sm.GLM(
        problem.y, problem.design, family=FAMILIES[loss], freq_weights=problem.s, offset=problem.offset
    )
    study = problem.study()
    for alpha in BETWEEN[1:]:
        strength = number(problem, alpha, "statsmodels.GLM") * problem.factors
        found = model.fit_regularized(alpha=strength, L1_wt=0).params
        assert_allclose(study.coef(alpha), found[:-1], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("load", [spector, randhie, scotland])
def test_without_penalty_on_real_data(load):
    problem = load()
    family = FAMILIES.get(problem.loss, sm.families.Gamma(sm.families.links.Log()))
    peer = sm.GLM(problem.y, problem.design, family=family).fit(tol=1e-13, maxiter=200)
    study = problem.study()
    assert study.path.separation == ""
    assert_allclose(study.coef(0.0), peer.params[:-1], rtol=1e-6, atol=1e-9)
    assert_allclose(study.intercept(0.0), peer.params[-1], rtol=1e-6)
    assert 2 * len(problem.y) * study.path.train_loss(0.0) == pytest.approx(peer.deviance, rel=1e-8)


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_an_exposure_is_that_of_statsmodels(loss):
    problem = make(3, loss, n=80, p=3, offset=True)
    family = FAMILIES.get(loss, sm.families.Gamma(sm.families.links.Log()))
    peer = sm.GLM(problem.y, problem.design, family=family, offset=problem.offset).fit(tol=1e-13, maxiter=200)
    study = problem.study()
    assert_allclose(study.coef(0.0), peer.params[:-1], rtol=1e-6)
    assert_allclose(study.predict(problem.X, 0.0, offset=problem.offset), peer.mu, rtol=1e-6)
