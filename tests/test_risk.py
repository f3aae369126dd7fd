"""Leave-one-out, GCV and evidence against refits, hat matrices and covariances; their slopes."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose

import eigenshrink as es
from eigenshrink.risk import RISKS
from oracles import CASES, Problem, gcv, hat, loo, make, reml, slope, with_spectrum

INNER = np.array([1e-6, 1e-3, 0.05, 1.0, 30.0, 1e5])
ALL = np.array([0.0, *INNER, np.inf])


def every(oracle, problem: Problem, alphas) -> np.ndarray:
    return np.array([oracle(problem, alpha) for alpha in alphas])


def curve(problem: Problem, name: str, alphas, **more) -> np.ndarray:
    return problem.study(**more).risk[name](alphas).reshape(len(alphas), -1)


@pytest.fixture(params=CASES)
def problem(request) -> Problem:
    return make(3, **CASES[request.param])


# --- leave-one-out ------------------------------------------------------------------------------------


def test_loo_is_what_refits_say(problem):
    assert_allclose(curve(problem, "loo", ALL), every(loo, problem, ALL), rtol=1e-9)


@pytest.mark.parametrize("kind", [scipy.sparse.csr_array, scipy.sparse.csc_matrix, scipy.sparse.coo_array])
@pytest.mark.parametrize("shape", [(25, 6), (12, 20)])
def test_loo_of_sparse_rows_is_what_refits_say(kind, shape):
    problem = make(5, *shape, weights="precision", free=1)
    mask = np.random.default_rng(0).random(shape) < 0.4
    problem = problem.with_(X=kind(problem.X * mask))
    assert_allclose(curve(problem, "loo", ALL), every(loo, problem, ALL), rtol=1e-9)


@pytest.mark.parametrize("shape", [(25, 5), (12, 20)])
@pytest.mark.parametrize("weights", [None, "frequency"])
def test_loo_with_equal_columns_is_what_refits_say(shape, weights):
    problem = make(6, *shape, weights=weights)
    X = problem.X.copy()
    X[:, 3] = X[:, 1]
    problem = problem.with_(X=X)
    assert_allclose(curve(problem, "loo", ALL), every(loo, problem, ALL), rtol=1e-9)


def test_loo_of_float32_rows_is_that_of_the_same_numbers_in_float64():
    """The arithmetic is float64: 1e-9 against refits on the rounded numbers, 1e-6 against the unrounded."""
    problem = make(7, 25, 5, weights="precision")
    rounded = problem.with_(X=problem.X.astype(np.float32), y=problem.y.astype(np.float32))
    assert_allclose(curve(rounded, "loo", ALL), every(loo, rounded, ALL), rtol=1e-9)
    assert_allclose(curve(rounded, "loo", ALL), every(loo, problem, ALL), rtol=2e-6)


@pytest.mark.parametrize("weights", [None, "precision", "frequency"])
@pytest.mark.parametrize("apart", [1.0, 1e-2, 1e-4])
def test_loo_of_a_row_that_alone_knows_a_penalised_column(weights, apart):
    """Its leverage tends to one as α → 0 while its error stays finite: a refit does not know the column.

    The closer two other columns are, the more digits a Gram matrix takes from the leverage.
    """
    problem = make(8, 14, 4, weights=weights)
    X = problem.X.copy()
    X[:, 1] = X[:, 2] + apart * X[:, 1]
    X[:, 0] = 0.0
    X[5, 0] = 1.0
    problem = problem.with_(
        X=X, s=None if problem.s is None else np.where(np.arange(14) == 5, 1.0, problem.s)
    )
    small = [0.0, 1e-12, 1e-9, 1e-6, 1e-2]
    assert_allclose(curve(problem, "loo", small), every(loo, problem, small), rtol=1e-9 / apart)


@pytest.mark.parametrize("far", [0.0, 1e7])
def test_loo_of_two_equal_rows_among_rows_that_are_alone(far):
    """One row is spare: the equal ones share a leverage of one half each, all others tend to one."""
    problem = make(172834938, 8, 7, weights="precision", noise=0.0)
    X = np.rint(problem.X * 2**20) / 2**20
    X[:, 0] = 3.5
    X[1] = X[0]
    small = [0.0, 1e-10, 1e-6, 1e-2]
    wanted = every(loo, problem.with_(X=X), small)
    assert_allclose(curve(problem.with_(X=X + far), "loo", small), wanted, rtol=1e-4)


def test_loo_is_infinite_where_one_row_alone_knows_a_free_column():
    problem = make(8, 14, 4, free=1)
    X = problem.X.copy()
    X[:, 3] = 0.0
    X[5, 3] = 1.0
    problem = problem.with_(X=X)
    assert np.all(np.isinf(curve(problem, "loo", ALL, criterion="evidence")))
    assert np.all(np.isinf(every(loo, problem, ALL)))


def test_loo_where_the_rows_are_fitted_all_but_exactly():
    """As many directions as rows, conditioned so badly that what is left of the targets is rounding."""
    problem = Problem(
        with_spectrum(1, 9, 8, np.logspace(0, -4.5, 8)), np.random.default_rng(2).normal(size=9)
    )
    assert problem.study().spectrum.route == "primal-gram"
    alphas = [0.0, 1e-12, 1e-9, 1e-6, 1e-2]
    assert_allclose(curve(problem, "loo", alphas), every(loo, problem, alphas), rtol=1e-4)


@pytest.mark.parametrize("shape", [(25, 5), (12, 20)])
@pytest.mark.parametrize("weights", [None, "precision"])
def test_loo_of_columns_with_means_ten_million_times_their_spread(shape, weights):
    """Shifted exactly: multiples of 2⁻²⁰. A mean is rounded to 1e-9 of the spread, which 1 − h magnifies."""
    problem = make(3, *shape, weights=weights)
    problem = problem.with_(X=np.rint(problem.X * 2**20) / 2**20)
    shifted = problem.with_(X=problem.X + 1e7)
    assert_allclose(curve(shifted, "loo", ALL), every(loo, problem, ALL), rtol=1e-7)


def test_loo_of_many_strengths_is_that_of_each():
    """Many strengths go through matrices of low rank; few do not."""
    for shape in ((60, 30), (30, 60)):
        loo_curve = make(9, *shape, weights="precision").study().risk["loo"]
        alphas = np.logspace(-8, 8, 120)
        alone = [loo_curve(alpha) for alpha in alphas]
        assert_allclose(loo_curve(alphas), alone, rtol=1e-10)
        assert_allclose(loo_curve.derivative(alphas), [loo_curve.derivative(a) for a in alphas], atol=1e-9)


def test_the_oracle_can_tell_precision_from_frequency():
    problem = make(3, 20, 5, weights="frequency")
    assert not np.allclose(loo(problem, 0.1), loo(problem.with_(kind="precision"), 0.1), rtol=1e-2)


# --- GCV ----------------------------------------------------------------------------------------------


def test_gcv_is_what_the_hat_matrix_says(problem):
    rank = problem.study(criterion="evidence").path.effective_parameters(0.0)
    alphas = ALL if rank < len(problem.y) else ALL[1:]  # 0/0 where the rows are fitted exactly
    assert_allclose(curve(problem, "gcv", alphas), every(gcv, problem, alphas), rtol=1e-7)


def test_effective_parameters_are_the_trace_of_the_hat_matrix(problem):
    traces = [np.trace(hat(problem, alpha)) for alpha in ALL]
    assert_allclose(problem.study(criterion="evidence").path.effective_parameters(ALL), traces, atol=1e-9)


def test_gcv_at_zero_where_the_rows_are_fitted_exactly():
    """The limit of 0/0: ``n² yᵀK⁺²y / (2n tr(K⁺)²)`` of the centred kernel."""
    problem = make(3, 12, 20)
    Z, y = problem.X - problem.X.mean(axis=0), problem.y - problem.y.mean()
    inverse = np.linalg.pinv(Z @ Z.T, rcond=1e-12)
    limit = 12 * y @ inverse @ inverse @ y / (2 * np.trace(inverse) ** 2)
    assert_allclose(problem.study().risk["gcv"](0.0), limit, rtol=1e-10)


# --- evidence -----------------------------------------------------------------------------------------


def test_evidence_is_the_marginal_likelihood_of_the_rows(problem):
    """To 1e-7 absolutely: the oracle inverts a covariance of condition 1e6 or more."""
    assert_allclose(curve(problem, "evidence", INNER), every(reml, problem, INNER), rtol=0, atol=1e-7)


def test_evidence_of_wide_rows_tends_to_a_finite_flat_limit():
    problem = make(3, 12, 20, weights="precision")
    evidence = problem.study().risk["evidence"]
    assert_allclose(evidence(0.0), reml(problem, 1e-9), atol=1e-6)
    assert_allclose(evidence([1e-9, 1e-12]), evidence(0.0), atol=1e-7)
    assert abs(evidence.derivative(1e-9)) < 1e-6


@pytest.mark.parametrize("size", [0, 2, 4])
def test_evidence_of_whole_rows_seen_several_times_has_no_finite_limit(size):
    """Copies of a row are fitted exactly too, but they count: likelihood grows without bound as α → 0."""
    X, y = with_spectrum(1, 8, 12, np.logspace(0, -size, 7)), np.random.default_rng(2).normal(size=(8, 3))
    problem = Problem(X, y, s=np.arange(8.0) % 3 + 1, kind="frequency")
    study = problem.study(criterion="evidence")
    assert study.spectrum.route == "dual-gram"
    assert np.all(study.risk["evidence"](0.0) == -np.inf)
    assert list(study.choice.boundary) == ["zero"] * 3


def test_the_fixed_point_of_the_evidence_is_its_minimum():
    """``α = σ²γ_pen/(S‖w̃‖²_D)`` with ``σ² = RSS_s/(ν−m−γ_pen)`` (M14)."""
    problem = make(4, 40, 6, weights="precision", free=1, factors=True)
    study = problem.study(criterion="evidence")
    alpha, S = study.alpha, problem.weights.sum()
    gamma = study.path.effective_parameters(alpha, penalised_only=True)
    rss = 2 * S * study.path.train_loss(alpha)
    variance = rss / (40 - study.spectrum.free.rank - gamma)
    assert_allclose(alpha, variance * gamma / (S * study.path.norm(alpha) ** 2), rtol=1e-7)


# --- slopes -------------------------------------------------------------------------------------------


def judged(problem: Problem) -> es.Study:
    """With pairs of rows as groups and rows that are held out, so that every criterion is there."""
    held = (1.1 * problem.dense[:6], problem.y[:6])
    return problem.study(criterion="evidence", groups=np.arange(len(problem.y)) // 2, validation=held)


def expected(problem: Problem) -> set[str]:
    """All of them, but Cp only where rows are left over."""
    study = problem.study(criterion="evidence")
    rank = len(study.spectrum.eigenvalues) + study.spectrum.free.rank
    return set(RISKS) - {"misclassified"} - ({"cp"} if len(problem.y) <= rank else set())


def test_slopes_are_those_of_the_curve(problem):
    study = judged(problem)
    assert set(study.risk) == expected(problem)
    alphas = np.array([1e-3, 0.03, 0.7, 20.0, 500.0])
    for risk in study.risk.values():
        value = np.abs(risk(alphas)).max()
        assert_allclose(risk.derivative(alphas), slope(risk, alphas), rtol=1e-6, atol=1e-9 * value)


@pytest.mark.parametrize("shape", [(25, 5), (12, 20)])
def test_slopes_at_the_ends(shape):
    """Flat, except that the evidence of tall rows falls with ``−(k/2) log α`` as α → 0."""
    for name, risk in judged(make(3, *shape)).risk.items():
        if name == "combined":  # evidence of fewer observations
            continue
        steep = -2.5 if name == "evidence" and shape == (25, 5) else 0.0
        assert_allclose(risk.derivative([1e-12, np.inf]), [steep, 0.0], atol=1e-7)


def test_central_differences_can_fail():
    assert_allclose(slope(np.log, np.array([2.0])), 1.0, rtol=1e-10)
    assert not np.allclose(slope(np.square, np.array([2.0])), 1.0)


# --- what a curve is ----------------------------------------------------------------------------------


def test_units_and_names():
    study = judged(make(3, 25, 5))
    names = {name for name in RISKS if name != "misclassified"}
    assert {name: risk.name for name, risk in study.risk.items()} == {name: name for name in names}
    assert study.risk["evidence"].unit == "negative log marginal likelihood"
    assert study.risk["combined"].unit == "combined score"
    others = {risk.unit for name, risk in study.risk.items() if name not in ("evidence", "combined")}
    assert others == {"half mean squared error"}


def test_each_target_at_its_own_strength():
    problem = make(3, 25, 5, t=3)
    alphas = np.array([0.01, 1.0, np.inf])
    for risk in problem.study().risk.values():
        assert_allclose(risk.per_target(alphas), np.diag(risk(alphas)))
        with pytest.raises(es.InputError, match=r"alphas has shape \(2,\);.*\(3,\)"):
            risk.per_target([0.1, 1.0])


def test_a_curve_alone_has_no_chosen_strength():
    risk = RISKS["gcv"](make(3, 25, 5).study().path)
    assert np.isfinite(risk(0.1))
    with pytest.raises(es.InputError, match="give it a strength"):
        risk()


@pytest.mark.parametrize("bad", [-1.0, np.nan, [0.1, -2.0]])
def test_bad_strengths_are_refused(bad):
    with pytest.raises(es.InputError, match="alpha"):
        make(3, 25, 5).study().risk["loo"](bad)


def test_a_path_without_rows_has_no_risk():
    path = es.quadratic([1.0, 2.0], np.eye(2))
    assert path.available_risks == ()
    with pytest.raises(es.InputError, match=r"use es\.study"):
        RISKS["loo"](path)
