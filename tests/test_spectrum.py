"""Eigenvalues and directions against explicit Schur complements, on every route and at every rank."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
from eigenshrink.path import QuadraticPath
from eigenshrink.spectrum import decompose, dual, primal
from eigenshrink.spectrum.dual import decompose_dual
from eigenshrink.spectrum.record import DualBasis, left_outside, numerical_floor
from eigenshrink.spectrum.triangular import accurate_svd, rank_tolerance, tall_qr, unit_free_rank
from oracles import CASES, EPS, Problem, free_rank, inverse, make, rows, solve, with_spectrum

SOME = [0.0, 1e-3, 0.3, 50.0, np.inf]


def schur(problem: Problem) -> np.ndarray:
    """``D^{-½} (H_PP − H_PF H_FF⁺ H_FP) D^{-½}`` written out (M12)."""
    Z = rows(problem)[0]
    H = Z.T @ Z / problem.weights.sum()
    pen, free = problem.factors > 0, problem.factors == 0
    H_FF = H[np.ix_(free, free)]
    H_S = H[np.ix_(pen, pen)] - H[np.ix_(pen, free)] @ inverse(H_FF, np.diag(H_FF)) @ H[np.ix_(free, pen)]
    return H_S / np.sqrt(np.outer(problem.factors[pen], problem.factors[pen]))


@pytest.fixture(params=CASES)
def problem(request) -> Problem:
    return make(3, **CASES[request.param])


@pytest.fixture(params=["as chosen", "svd"])
def spectrum(request, problem, monkeypatch) -> es.study:
    if request.param == "svd":
        monkeypatch.setattr(primal, "CLEAR", 1.0)
        monkeypatch.setattr(dual, "CLEAR", 1.0)
    found = problem.study(criterion="evidence").spectrum
    if request.param == "svd" and len(found.eigenvalues):
        assert found.route.endswith("svd")
    return found


# --- M7 and M12 ---------------------------------------------------------------------------------------


def test_eigenvalues_are_those_of_the_schur_complement(problem, spectrum):
    A = schur(problem)
    wanted = np.linalg.eigvalsh(A)[::-1] if len(A) else np.zeros(0)
    k = len(spectrum.eigenvalues)
    size = wanted.max(initial=0.0)
    assert_allclose(spectrum.eigenvalues, wanted[:k], rtol=1e-7, atol=1e-13 * size)
    assert_allclose(wanted[k:], 0.0, atol=1e-12 * size)
    assert np.all(spectrum.eigenvalues > 0)
    assert np.all(np.diff(spectrum.eigenvalues) <= 0)


def test_directions_are_orthonormal_and_diagonalise(problem, spectrum):
    Q = spectrum.basis
    assert Q.shape == (np.sum(problem.factors > 0), len(spectrum.eigenvalues))
    assert_allclose(Q.T @ Q, np.eye(Q.shape[1]), atol=1e-9)
    A = schur(problem)
    assert_allclose(Q.T @ A @ Q, np.diag(spectrum.eigenvalues), atol=1e-9 * (1 + np.abs(A).max(initial=0)))


def test_coordinates_are_the_unpenalised_solution_along_each_direction(problem, spectrum):
    pen = problem.factors > 0
    coef = solve(problem, 0.0)[0][:, pen] * np.sqrt(problem.factors[pen])
    assert_allclose(np.atleast_2d(spectrum.coordinates), coef @ spectrum.basis, rtol=1e-6, atol=1e-8)


def test_what_free_weights_add_is_the_rank_of_their_block(problem, spectrum):
    assert spectrum.free.rank == free_rank(problem)


def test_rotating_as_array_and_as_product_agree(problem, spectrum):
    Q, rng = spectrum.basis, np.random.default_rng(0)
    C, V = rng.normal(size=(Q.shape[1], 2)), rng.normal(size=(Q.shape[0], 2))
    assert_allclose(spectrum.directions.back(C), Q @ C, atol=1e-9)
    assert_allclose(spectrum.directions.forth(V), Q.T @ V, atol=1e-9)


def test_rows_in_the_eigenbasis_are_orthonormal(problem, spectrum):
    """U and the basis of the free columns together, and orthogonal to the intercept."""
    U = np.concatenate([np.hstack([U, F]) for _, U, F in spectrum.scores.blocks()])
    if problem.intercept:
        U = np.hstack([U, np.sqrt(problem.weights / problem.weights.sum())[:, None]])
    assert_allclose(U.T @ U, np.eye(U.shape[1]), atol=1e-8)


# --- routes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "sizes", "route"),
    [
        ((20, 5), np.logspace(0, -4, 5), "primal-gram"),
        ((20, 5), np.logspace(0, -6, 5), "primal-svd"),
        ((20, 5), [1, 1, 1, 1, 0], "primal-svd"),
        ((8, 20), np.logspace(0, -4, 7), "dual-gram"),
        ((8, 20), np.logspace(0, -6, 7), "dual-svd"),
        ((8, 20), [1, 1, 1, 1, 1, 1, 0], "dual-svd"),
    ],
)
def test_the_gram_matrix_is_used_while_it_sees_enough(shape, sizes, route):
    problem = Problem(
        with_spectrum(1, *shape, np.array(sizes)), np.random.default_rng(0).normal(size=shape[0])
    )
    spectrum = problem.study().spectrum
    assert spectrum.route == route
    wanted = np.square(sizes)[np.array(sizes) > 0] / shape[0]
    assert_allclose(spectrum.eigenvalues, wanted, rtol=1e-6)


@pytest.mark.parametrize("case", ["tall", "free columns", "collinear free columns", "targets", "square"])
def test_both_sides_say_the_same(case):
    """The n×n side, asked of rows that are not wide."""
    fit = make(3, **CASES[case]).study(criterion="evidence").path.fit
    own, other = decompose(fit), decompose_dual(fit, fit.training)
    assert own.route.startswith("primal")
    assert other.route.startswith("dual")
    assert_allclose(own.eigenvalues, other.eigenvalues, rtol=1e-9)
    assert_allclose(own.outside, other.outside, rtol=1e-9, atol=1e-20)
    assert own.free.rank == other.free.rank
    assert_allclose(QuadraticPath(fit, own).weights(SOME), QuadraticPath(fit, other).weights(SOME), atol=1e-9)


def test_strengths_below_the_floor_lose_digits_and_only_there():
    """Six digits above it. On a Gram route full of directions there is none."""
    assert make(3, 25, 5).study().spectrum.floor == 0.0
    for shape in ((20, 5), (8, 20)):
        k = min(shape[1], shape[0] - 1)
        X = with_spectrum(1, *shape, np.logspace(0, -12, k))
        spectrum = Problem(X, np.random.default_rng(0).normal(size=shape[0])).study().spectrum
        assert 0 <= spectrum.floor < 1e-12 * spectrum.eigenvalues[0]


def test_the_floor_is_where_the_error_estimate_reaches_a_millionth():
    assert numerical_floor(1.0, 0.0, EPS, squared=True) == pytest.approx(1e6 * EPS)
    assert numerical_floor(1.0, 0.0, EPS, squared=False) == pytest.approx((1e6 * EPS) ** 2)
    assert numerical_floor(1.0, 1.0, EPS, squared=True) == 0.0


# --- ranks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(20, 6), (9, 15)])
@pytest.mark.parametrize("svd", [False, True])
def test_equal_and_dependent_columns_cost_rank(shape, svd, monkeypatch):
    if svd:
        monkeypatch.setattr(primal, "CLEAR", 1.0)
        monkeypatch.setattr(dual, "CLEAR", 1.0)
    problem = make(2, *shape)
    X = problem.X.copy()
    X[:, 1], X[:, 2], X[:, 3] = X[:, 0], X[:, 4] - X[:, 5] + 2, 4.0
    study = problem.with_(X=X).study(criterion="evidence")
    rank = min(shape[1] - 3, shape[0] - 1)
    assert len(study.spectrum.eigenvalues) == rank
    assert study.path.effective_parameters(0.0) == pytest.approx(rank + 1)
    for alpha in SOME:
        assert_allclose(study.coef(alpha), solve(problem.with_(X=X), alpha)[0][0], atol=1e-9)


@pytest.mark.parametrize("shape", [(20, 5), (9, 14)])
@pytest.mark.parametrize("weights", [None, "precision"])
@pytest.mark.parametrize("far", [1e2, 1e4, 1e7])
def test_rank_does_not_depend_on_the_zero_of_a_column(shape, weights, far):
    """A column that is the sum of two, and two equal rows, exactly so; rounding of a mean is no direction."""
    problem = make(1, *shape, weights=weights)
    X = np.rint(problem.X * 2**20) / 2**20
    X[:, 3] = X[:, 0] + X[:, 1]
    X[4] = X[3]
    near, moved = problem.with_(X=X), problem.with_(X=X + far * np.arange(1, shape[1] + 1))
    study = moved.study(criterion="evidence")
    assert len(study.spectrum.eigenvalues) == min(shape[1] - 1, shape[0] - 2)
    for alpha in SOME:
        assert_allclose(study.coef(alpha), solve(near, alpha)[0][0], rtol=1e-6, atol=1e-8)
    for risk in study.risk.values():
        wanted = near.study(criterion="evidence").risk[risk.name]([1e-3, 1.0])
        assert_allclose(risk([1e-3, 1.0]), wanted, rtol=1e-6)


@pytest.mark.parametrize("n", [30, 1000])
def test_start_end_and_duration(n):
    """Seconds since 1970: whole numbers, the third the difference of the others."""
    rng = np.random.default_rng(0)
    start, duration = 1_700_000_000 + rng.integers(0, 10**6, n), rng.integers(60, 3600, n)
    X = np.c_[start, start + duration, duration, rng.normal(size=n)].astype(float)
    study = es.study(X, 1e-3 * duration + rng.normal(size=n))
    assert len(study.spectrum.eigenvalues) == 3
    assert np.abs(study.coef(0.0)).max() < 1.0
    assert study.path.effective_parameters(0.0) == pytest.approx(4)


@pytest.mark.parametrize("scale", [1e-120, 1e-9, 1e9, 1e120])
@pytest.mark.parametrize("shape", [(20, 6), (9, 15)])
def test_rank_does_not_depend_on_the_unit_of_a_column(scale, shape):
    """Neither does what it explains: with the penalty factor in the same unit the model is the same."""
    problem = make(2, *shape, free=2)
    unit = np.ones(shape[1])
    unit[[0, -1]] = scale
    d = problem.factors * unit**2
    study, moved = problem.study(), problem.with_(X=problem.X * unit, d=d).study()
    assert len(moved.spectrum.eigenvalues) == len(study.spectrum.eigenvalues)
    assert moved.spectrum.free.rank == 3
    assert_allclose(moved.coef(0.1) * unit, study.coef(0.1), rtol=1e-8)


@pytest.mark.parametrize("shape", [(12, 3), (12, 5), (6, 9)])
@pytest.mark.parametrize("intercept", [True, False])
def test_a_penalised_column_that_free_ones_already_say_has_no_direction(shape, intercept):
    """What is left of it after projection is rounding, not a direction: its weight is zero."""
    problem = make(4, *shape, free=2, intercept=intercept)
    X = problem.X.copy()
    X[:, 0] = X[:, -1] - 2 * X[:, -2]
    study = problem.with_(X=X).study(criterion="evidence")
    k = min(shape[1] - 3, shape[0] - 2 - intercept)
    assert len(study.spectrum.eigenvalues) == k
    assert study.path.effective_parameters(0.0) == pytest.approx(k + 2 + intercept)
    for alpha in SOME:
        assert_allclose(study.coef(alpha), solve(problem.with_(X=X), alpha)[0][0], atol=1e-9)


def test_collinear_free_columns_of_very_different_size():
    """Their pseudo-inverse is the same model: fitted values do not depend on units."""
    problem = make(4, 20, 5, free=3, collinear_free=True)
    study = problem.study()
    unit = np.array([1.0, 1.0, 1e5, 1e-5, 1.0])
    moved = problem.with_(X=problem.X * unit, d=problem.factors).study()
    assert moved.spectrum.free.rank == study.spectrum.free.rank == 3
    for alpha in SOME:
        assert_allclose(moved.predict(problem.X * unit, alpha), study.predict(problem.X, alpha), rtol=1e-8)


def test_no_rows_left_over():
    """As many free weights as rows but one: nothing is left for the penalised columns but one direction."""
    problem = make(3, 6, 9, free=4)
    study = problem.study(criterion="evidence")
    assert len(study.spectrum.eigenvalues) == 1
    for alpha in SOME:
        assert_allclose(study.coef(alpha), solve(problem, alpha)[0][0], rtol=1e-8, atol=1e-9)


# --- more columns than rows: no square of columns -----------------------------------------------------


def test_wide_rows_need_no_array_of_columns_squared_nor_of_columns_times_directions():
    rng = np.random.default_rng(0)
    n, p = 200, 5_000

    def ask(X, y) -> es.Study:
        study = es.study(X, y)
        _ = study.coef(0.1), study.alpha, study.risk["loo"](0.1), study.path.certificate(0.1)
        return study

    ask(rng.normal(size=(3, 5)), np.arange(3.0))  # what is imported late is not counted
    X, y = rng.normal(size=(n, p)), rng.normal(size=n)
    tracemalloc.start()
    study = ask(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(study.spectrum.directions, DualBasis)
    assert peak < 0.8 * X.nbytes  # p×k would be as large as X, p×p 25 times


# --- triangular pieces --------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[20], [7, 13], [1, 1, 18], [3] * 6 + [2]])
def test_qr_in_blocks_is_qr(sizes):
    rng = np.random.default_rng(0)
    Z, Y = rng.normal(size=(20, 4)), rng.normal(size=(20, 2))
    ends = np.cumsum(sizes)[:-1]
    R, C, outside = tall_qr(zip(np.split(Z, ends), np.split(Y, ends), strict=True), 4, 2)
    assert_allclose(R.T @ R, Z.T @ Z, atol=1e-12)
    assert_array_equal(R, np.triu(R))
    assert_allclose(R.T @ C, Z.T @ Y, atol=1e-12)
    left = np.sum((Y - Z @ np.linalg.lstsq(Z, Y)[0]) ** 2, axis=0)
    assert_allclose(outside, left, rtol=1e-12)


def test_qr_of_few_rows():
    Z = np.random.default_rng(0).normal(size=(3, 5))
    R, C, outside = tall_qr([(Z[:2], np.zeros((2, 1))), (Z[2:], np.ones((1, 1)))], 5, 1)
    assert R.shape == (3, 5)
    assert_allclose(R.T @ R, Z.T @ Z, atol=1e-12)
    assert_allclose(np.abs(C[:, 0] @ C[:, 0]) + outside, 1.0)


def test_small_singular_values_keep_their_digits_when_columns_differ_in_scale():
    scales = np.logspace(0, -40, 5)
    base = np.random.default_rng(0).normal(size=(8, 5))
    _, values, Vt = accurate_svd(base * scales)
    assert_allclose(Vt @ Vt.T, np.eye(5), atol=1e-14)
    assert_allclose(values[-1] / np.linalg.norm(base[:, -1] * scales[-1]), 0.7, atol=0.31)
    assert_allclose(np.prod(values / scales), np.prod(np.linalg.svd(base)[1]), rtol=1e-12)


def test_rank_is_free_of_units_and_blind_to_rounding():
    base = np.random.default_rng(0).normal(size=(20, 4))
    base[:, 3] = base[:, 0] + base[:, 1]
    for unit in (np.ones(4), np.array([1e-30, 1.0, 1e30, 1e10])):
        assert unit_free_rank(base * unit, rank_tolerance(20, 4)) == 3
    base[:, 3] += 1e-12 * np.arange(20)
    assert unit_free_rank(base, rank_tolerance(20, 4)) == 4
    assert unit_free_rank(np.zeros((3, 2)), 1e-14) == 0


def test_what_is_left_is_zero_only_where_it_is_rounding():
    squares, total = np.array([1e-25, 1e-20, 0.0]), np.ones(3)
    assert_array_equal(left_outside(squares, total, spare=2), [0.0, 1e-20, 0.0])
    assert_array_equal(left_outside(squares, total, spare=0), 0.0)
