"""Standard errors and what belongs to them, against brute force, inverses and peers (M15)."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
import statsmodels.api as sm
from sklearn.linear_model import BayesianRidge

import eigenshrink as es
import oracles
from eigenshrink import inference
from oracles import CASES, STRENGTHS, make

WITH_DF = [alpha for alpha in STRENGTHS if alpha >= 1e-3]  # the trace of the oracle cancels below
NOT_COLLINEAR = {name: case for name, case in CASES.items() if not case.get("collinear_free")}


def scatter(problem, alpha):
    """Covariance of coefficients and intercept where row i has variance 1/s_i: the linear map, squared."""
    coef, intercept = oracles.solve(problem.with_(y=np.eye(len(problem.targets))), alpha)
    linear = np.vstack([coef.T, intercept]) if problem.intercept else coef.T
    return (linear / problem.weights) @ linear.T


def variance(problem, alpha):
    """``RSS/(ν − trace of the hat matrix)``, ``(t,)``."""
    A, s = oracles.hat(problem, alpha), problem.weights
    nu = s.sum() if problem.kind == "frequency" else len(s)
    return s @ (problem.targets - A @ problem.targets) ** 2 / (nu - np.trace(A))


def posterior(problem, alpha):
    """Inverse of the information of all coefficients, those without penalty with a flat prior."""
    ones = np.ones((len(problem.targets), int(problem.intercept)))
    design, d = np.hstack([problem.dense, ones]), np.append(problem.factors, [0.0] * problem.intercept)
    s = problem.weights
    return np.linalg.inv((design.T * s) @ design + s.sum() * alpha * np.diag(d))


def close(computed, wanted, rtol=1e-8):
    """Alike beside the largest entry of each matrix."""
    size = np.abs(wanted).max(axis=(-2, -1), keepdims=True)
    size[size == 0] = 1.0  # a perfect fit
    np.testing.assert_allclose(computed / size, wanted / size, rtol=rtol, atol=rtol)


def roots(covariance):
    return np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))


def collinear(seed=3, **more):
    """Two equal columns, one constant one, and one that follows from two others; all penalised."""
    problem = make(seed, 25, 6, **more)
    X = problem.X.copy()
    X[:, 1], X[:, 2], X[:, 5] = X[:, 0], 7.0, X[:, 3] - 2 * X[:, 4]
    return problem.with_(X=X)


# --- the covariance -----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_the_scatter_of_the_estimate_is_that_of_the_linear_map(case):
    problem = make(1, **CASES[case])
    path = problem.study().path
    for alpha in STRENGTHS:
        phi = np.atleast_1d(inference.dispersion(path, alpha))
        if not np.isnan(phi).any():
            covariance = inference.covariance(path, alpha)
            wanted = phi[:, None, None] * scatter(problem, alpha)
            close(covariance.reshape(wanted.shape), wanted)


@pytest.mark.parametrize("case", CASES)
def test_the_dispersion_is_the_residual_sum_over_what_is_left(case):
    problem = make(2, **CASES[case])
    study = problem.study()
    for alpha in WITH_DF:
        wanted = variance(problem, alpha)
        np.testing.assert_allclose(np.atleast_1d(inference.dispersion(study.path, alpha)), wanted, rtol=1e-9)
    s = problem.weights
    nu = s.sum() if problem.kind == "frequency" else len(s)
    df = nu - np.trace(oracles.hat(problem, 0.05))
    assert inference.residual_df(study.path, 0.05) == pytest.approx(df, rel=1e-9)


@pytest.mark.parametrize("case", NOT_COLLINEAR)
def test_the_posterior_is_the_inverse_of_the_information(case):
    problem = make(3, **CASES[case])
    path = problem.study().path
    for alpha in [1e-3, 0.05, 1.0, 30.0]:
        phi = np.atleast_1d(inference.dispersion(path, alpha))
        covariance = inference.covariance(path, alpha, "bayesian")
        wanted = phi[:, None, None] * posterior(problem, alpha)
        close(covariance.reshape(wanted.shape), wanted)


@pytest.mark.parametrize("weights", [None, "precision", "frequency"])
def test_columns_that_repeat_each_other(weights):
    problem = collinear(weights=weights)
    path = problem.study().path
    for alpha in [0.0, 1e-3, 1.0]:
        covariance = inference.covariance(path, alpha)
        close(covariance, inference.dispersion(path, alpha) * scatter(problem, alpha))
        assert not covariance[2].any()
        assert not covariance[:, 2].any()
    rest = np.array([0, 1, 3, 4, 5, 6])
    for alpha in [1e-6, 1e-3, 1.0]:
        covariance = inference.covariance(path, alpha, "bayesian")
        without = problem.with_(X=problem.X[:, rest[:-1]])
        close(covariance[np.ix_(rest, rest)], inference.dispersion(path, alpha) * posterior(without, alpha))
        assert not covariance[2].any()


def test_free_columns_that_repeat_each_other_predict_as_one_of_them():
    problem = make(4, **CASES["collinear free columns"])
    once = problem.with_(X=problem.X[:, :-1], d=problem.d[:-1])
    for kind in inference.KINDS:
        both = problem.study(alpha=0.3).prediction_std(problem.X, kind=kind)
        one = once.study(alpha=0.3).prediction_std(once.X, kind=kind)
        np.testing.assert_allclose(both, one, rtol=1e-9)


@pytest.mark.parametrize("kind", inference.KINDS)
@pytest.mark.parametrize("case", CASES)
def test_standard_errors_are_the_roots_of_the_diagonal(case, kind):
    path = make(5, **CASES[case]).study().path
    for alpha in [1e-3, 1.0, np.inf]:
        covariance = inference.covariance(path, alpha, kind)
        errors = inference.standard_errors(path, alpha, kind)
        np.testing.assert_allclose(errors, roots(covariance), rtol=1e-9, atol=1e-15)


def test_at_the_end_only_what_is_free_still_varies():
    problem = make(6, 30, 5, free=2, weights="precision")
    covariance = inference.covariance(problem.study().path, np.inf)
    alone = problem.with_(X=problem.X[:, 3:], d=np.zeros(2))
    wanted = inference.covariance(alone.study().path, 0.0)
    assert not covariance[:3].any()
    close(covariance[3:, 3:], wanted)


def test_an_equal_number_of_copies_is_the_same_as_a_frequency():
    problem = make(7, **CASES["free columns, frequency"])
    copies = problem.weights.astype(int)
    long = problem.with_(X=problem.X.repeat(copies, axis=0), y=problem.y.repeat(copies), s=None)
    for kind in inference.KINDS:
        close(problem.study(alpha=0.1).covariance(kind=kind), long.study(alpha=0.1).covariance(kind=kind))


def test_units_of_columns_and_target_go_through():
    problem, scale = make(8, 30, 4), np.array([1e3, 1.0, 1e-4, 7.0])
    other = problem.with_(X=problem.X * scale + 3.0, y=problem.y * 50.0)
    study, scaled = (it.study(standardize=True, alpha=0.2) for it in (problem, other))
    errors = study.standard_errors()[:-1] * 50.0 / scale
    np.testing.assert_allclose(scaled.standard_errors()[:-1], errors, rtol=1e-9)
    assert scaled.dispersion == pytest.approx(2500.0 * study.dispersion, rel=1e-9)


def test_new_targets_scatter_as_the_standard_errors_say():
    problem = make(9, 20, 4, weights="precision", factors=True)
    rng = np.random.default_rng(0)
    mean = problem.X @ np.array([1.0, -1.0, 0.5, 0.0])
    drawn = mean[:, None] + 1.5 * rng.normal(size=(20, 4000)) / np.sqrt(problem.s)[:, None]
    study = problem.with_(y=drawn).study(alpha=0.5, per_target=False)
    seen = np.vstack([study.coef().T, study.intercept()]).std(axis=1)
    errors = (
        problem.study().standard_errors(0.5) * 1.5 / np.sqrt(inference.dispersion(problem.study().path, 0.5))
    )
    np.testing.assert_allclose(seen, errors, rtol=0.05)  # 4.5 standard errors of a standard deviation


# --- peers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, "precision"])
def test_without_penalty_it_is_least_squares(weights):
    problem = make(10, 40, 5, weights=weights)
    study = problem.study(alpha=0.0)
    fitted = sm.WLS(problem.y, np.hstack([problem.X, np.ones((40, 1))]), weights=problem.weights).fit()
    np.testing.assert_allclose(study.standard_errors(), fitted.bse, rtol=1e-9)
    close(study.covariance(), fitted.cov_params(), rtol=1e-9)
    assert study.dispersion == pytest.approx(fitted.scale, rel=1e-9)
    assert study.residual_df == pytest.approx(fitted.df_resid, rel=1e-12)
    predicted = fitted.get_prediction(fitted.model.exog[:7], weights=1.0)
    np.testing.assert_allclose(study.prediction_std(problem.X[:7]), predicted.se_mean, rtol=1e-9)
    np.testing.assert_allclose(study.prediction_std(problem.X[:7], noise=True), predicted.se_obs, rtol=1e-9)


def test_longley_as_every_textbook_has_it():
    data = sm.datasets.longley.load_pandas()
    fitted = sm.OLS(data.endog, sm.add_constant(data.exog, prepend=False)).fit()
    errors = es.study(data.exog, data.endog, alpha=0.0).standard_errors()
    np.testing.assert_allclose(errors, fitted.bse, rtol=1e-7)  # what QR keeps of a condition of 5e9


@pytest.mark.parametrize(("n", "p"), [(60, 5), (15, 40)])
def test_the_posterior_of_bayesian_ridge(n, p):
    problem = make(5, n, p, noise=5.0)
    model = BayesianRidge(tol=1e-12, max_iter=5000, alpha_2=0, alpha_1=0, lambda_1=0, lambda_2=0)
    model.fit(problem.X, problem.y)
    study = problem.study(alpha=model.lambda_ / (model.alpha_ * n))
    covariance = study.covariance(kind="bayesian")[:-1, :-1] / study.dispersion
    close(covariance, model.sigma_ * model.alpha_, rtol=1e-7)
    # its noise has the intercept for nothing: ν − γ_pen and not ν − γ
    rss = study.dispersion * study.residual_df
    assert rss / (study.residual_df + 1) == pytest.approx(1 / model.alpha_, rel=1e-9)


# --- predictions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", inference.KINDS)
@pytest.mark.parametrize("case", CASES)
def test_predictions_scatter_as_the_covariance_says(case, kind):
    problem = make(12, **CASES[case])
    study = problem.study(alpha=0.2)
    new = make(13, 9, problem.X.shape[1]).X
    new = np.vstack([new, problem.X[:3]])
    if case.startswith("collinear free") or case.endswith("collinear free"):
        new[:, -1] = 2.0 * new[:, -2] - problem.intercept
    design = np.hstack([new, np.ones((len(new), int(problem.intercept)))])
    covariance = study.covariance(kind=kind).reshape(-1, design.shape[1], design.shape[1])
    wanted = np.einsum("ij,tjk,ik->it", design, covariance, design)
    for noise in (False, True):
        errors = study.prediction_std(new, kind=kind, noise=noise)
        total = wanted + noise * np.atleast_1d(study.dispersion)
        np.testing.assert_allclose(errors.reshape(wanted.shape), np.sqrt(total), rtol=1e-8)


@pytest.mark.parametrize("kind", inference.KINDS)
@pytest.mark.parametrize(("n", "p", "free"), [(40, 8, 0), (12, 30, 2)])
def test_sparse_rows_are_as_good_as_dense_ones(n, p, free, kind):
    problem = make(14, n, p, free=free)
    X = problem.X * (np.random.default_rng(1).uniform(size=(n, p)) < 0.4)
    X[:, 0] = problem.X[:, 0] + 1e4
    dense = problem.with_(X=X).study(alpha=0.1)
    sparse = problem.with_(X=scipy.sparse.csr_array(X)).study(alpha=0.1)
    wanted = dense.prediction_std(X, kind=kind)
    np.testing.assert_allclose(sparse.prediction_std(scipy.sparse.csr_array(X), kind=kind), wanted, rtol=1e-7)
    np.testing.assert_allclose(dense.prediction_std(scipy.sparse.csc_array(X), kind=kind), wanted, rtol=1e-7)
    close(sparse.covariance(kind=kind), dense.covariance(kind=kind), rtol=1e-7)


def test_columns_far_from_zero_keep_their_digits():
    problem = make(15, 40, 4)
    far = problem.with_(X=problem.X + 1e7)
    near, there = problem.study(alpha=0.1), far.study(alpha=0.1)
    np.testing.assert_allclose(there.prediction_std(far.X), near.prediction_std(problem.X), rtol=1e-6)
    np.testing.assert_allclose(there.standard_errors()[:-1], near.standard_errors()[:-1], rtol=1e-6)


# --- shares -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_the_share_of_a_column_is_what_is_found_of_it_when_it_is_the_target(case):
    problem = make(16, **CASES[case])
    path = problem.study().path
    penalised = problem.factors > 0
    for alpha in [1e-3, 1.0, np.inf]:
        kept = inference.kept_per_column(path, alpha)
        coef, _ = oracles.solve(problem.with_(y=problem.X), alpha)
        np.testing.assert_allclose(kept[penalised], np.diag(coef)[penalised], rtol=1e-9, atol=1e-12)
        assert np.all(kept[~penalised] == 1.0)
        total = path.effective_parameters(alpha, penalised_only=True)
        assert kept[penalised].sum() == pytest.approx(total, rel=1e-12, abs=1e-12)


def test_equal_columns_share_and_constant_ones_keep_nothing():
    kept = inference.kept_per_column(collinear().study().path, [0.0, 0.1, np.inf])
    np.testing.assert_allclose(kept[0, :3], [0.5, 0.5, 0.0], atol=1e-12)
    assert np.all((kept >= 0) & (kept <= 1))
    assert not kept[2].any()


def test_the_comparison_can_fail():
    wanted = make(24, 20, 3).study().covariance(0.1)
    off = wanted.copy()
    off[0, 1] += 1e-6 * np.abs(wanted).max()
    with pytest.raises(AssertionError):
        close(off, wanted)
