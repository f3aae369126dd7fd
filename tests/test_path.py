"""The path against direct solves: weights, shares, norms, losses, bounds, shapes, the three steps."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
from eigenshrink.path import kept_share
from oracles import CASES, EPS, Problem, free_rank, make, objective, rows, solve

ALL = np.array([0.0, 1e-6, 1e-3, 0.05, 1.0, 30.0, 1e5, np.inf])
INNER = ALL[2:-1]


@pytest.fixture(params=CASES)
def problem(request) -> Problem:
    return make(3, **CASES[request.param])


@pytest.fixture
def study(problem) -> es.Study:
    return problem.study(criterion="evidence")


def columns(study: es.Study, alpha) -> np.ndarray:
    return np.atleast_2d(study.coef(alpha))


# --- weights (M5, M6) ---------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", ALL)
def test_weights_are_those_of_a_direct_solve(problem, study, alpha):
    coef, intercept = solve(problem, alpha)
    assert_allclose(columns(study, alpha), coef, rtol=1e-9, atol=1e-11)
    assert_allclose(np.atleast_1d(study.intercept(alpha)), intercept, rtol=1e-9, atol=1e-10)


def test_no_other_weights_have_a_lower_objective(problem, study):
    rng = np.random.default_rng(0)
    for alpha in INNER:
        coef, intercept = columns(study, alpha), np.atleast_1d(study.intercept(alpha))
        lowest = objective(problem, alpha, coef, intercept)
        for size in (1e-1, 1e-3):
            other = objective(
                problem,
                alpha,
                coef + size * rng.normal(size=coef.shape),
                intercept + problem.intercept * size * rng.normal(size=intercept.shape),
            )
            assert np.all(other > lowest)


def test_the_gradient_vanishes_along_every_weight(problem, study):
    """``∇L + αDw = 0`` (M2), free weights and intercept included."""
    Z, Y, _, _ = rows(problem)
    for alpha in INNER:
        coef = columns(study, alpha)
        gradient = Z.T @ (Z @ coef.T - Y) / problem.weights.sum()
        size = np.abs(Z.T @ Y).max() / problem.weights.sum()
        assert_allclose(gradient + alpha * problem.factors[:, None] * coef.T, 0.0, atol=1e-9 * size)


def test_at_infinity_only_free_weights_are_left(problem, study):
    coef = columns(study, np.inf)
    assert_array_equal(coef[:, problem.factors > 0], 0.0)


def test_at_zero_the_solution_has_the_least_d_norm():
    problem = make(4, 8, 12, factors=True)
    coef = problem.study().coef(0.0)
    assert_allclose(problem.X @ coef + problem.study().intercept(0.0), problem.y)
    Z = problem.X - problem.X.mean(axis=0)
    null = np.linalg.svd(Z)[2][7:]  # moves that no row sees
    assert_allclose(null @ (problem.d * coef), 0.0, atol=1e-10)
    shorter = solve(problem.with_(d=None), 0.0)[0][0]
    assert np.linalg.norm(shorter) < np.linalg.norm(coef)
    assert problem.d @ coef**2 < problem.d @ shorter**2


# --- shares and counts (M7, M9) -----------------------------------------------------------------------


def test_shares_are_of_the_eigenvalues(study):
    values = study.spectrum.eigenvalues
    for alpha in INNER:
        assert_allclose(study.path.shrinkage(alpha), values / (values + alpha), rtol=1e-14)
    assert_array_equal(study.path.shrinkage(0.0), 1.0)
    assert_array_equal(study.path.shrinkage(np.inf), 0.0)


def test_effective_parameters_fall_from_rank_to_what_is_free(problem, study):
    gamma = study.path.effective_parameters(ALL)
    m = free_rank(problem)
    Z = rows(problem)[0]
    rank = np.linalg.matrix_rank(Z, tol=1e-9 * np.linalg.norm(Z)) + problem.intercept
    assert_allclose(gamma[[0, -1]], [rank, m], atol=1e-9)
    assert np.all(np.diff(gamma) <= 0)
    assert_allclose(study.path.effective_parameters(ALL, penalised_only=True), gamma - m, atol=1e-12)


def test_kept_share_has_its_limits():
    shares = kept_share(np.array([0.0, 1e-300, 1.0, 1e300]), np.array([[0.0], [1.0], [1e308], [np.inf]]))
    assert_array_equal(shares[0], [0, 1, 1, 1])
    assert_array_equal(shares[-1], 0.0)
    assert_allclose(shares[1], [0, 1e-300, 0.5, 1])
    assert_allclose(shares[2], [0, 0, 1e-308, 1e-8], rtol=1e-7)


# --- norms, losses, steps -----------------------------------------------------------------------------


def test_norm_and_training_loss_are_those_of_the_weights(problem, study):
    X, Y, s = problem.dense, problem.targets, problem.weights
    for alpha in ALL:
        coef, intercept = columns(study, alpha), np.atleast_1d(study.intercept(alpha))
        loss = s @ (Y - X @ coef.T - intercept) ** 2 / (2 * s.sum())
        assert_allclose(np.atleast_1d(study.path.train_loss(alpha)), loss, rtol=1e-8, atol=1e-18)
        norm = np.sqrt(coef**2 @ problem.factors)
        assert_allclose(np.atleast_1d(study.path.norm(alpha)), norm, rtol=1e-9, atol=1e-12)


def test_training_loss_without_rows_is_unknown():
    path = es.quadratic([1.0, 2.0], np.eye(2))
    assert np.isnan(path.train_loss(1.0))
    assert_allclose(path.norm([0.0, 1.0, np.inf]), np.array([1, 0.5, 0]) * np.sqrt(5))


@pytest.mark.parametrize("shape", [(25, 5), (12, 20)])
@pytest.mark.parametrize("alpha", [0.0, 0.3, np.inf])
def test_the_three_steps_lead_from_the_start_to_the_weights(shape, alpha):
    problem = make(5, *shape, t=2, factors=True, free=1)
    path, pen = problem.study().path, problem.factors > 0
    Q, root = path.spectrum.basis, np.sqrt(problem.factors[pen])
    for target in (0, 1):
        steps = path.three_steps(alpha, target)
        assert_allclose(steps.start, root * path.weights(0.0)[target][pen], atol=1e-10)
        assert_allclose(steps.rotated, Q.T @ steps.start, atol=1e-10)
        assert_allclose(steps.scaled, path.shrinkage(alpha) * steps.rotated, atol=1e-12)
        assert_allclose(steps.back, Q @ steps.scaled, atol=1e-12)
        assert_allclose(steps.back, root * path.weights(alpha)[target][pen], atol=1e-10)


def test_rotating_there_and_back_changes_nothing():
    path = make(5, 25, 5).study().path
    steps = path.three_steps(0.0)
    assert_allclose(steps.back, steps.start, rtol=1e-12)


# --- bounds (M16) -------------------------------------------------------------------------------------


def test_bounds_are_small_and_not_negative(study):
    weights = np.abs(study.coef(1e-3)).max() + 1e-300
    bound, certificate = study.path.residual_bound(ALL), study.path.certificate(ALL)
    assert np.all(bound >= 0)
    assert np.all(bound <= 1e-8 * weights)
    assert certificate[0] == np.inf or study.path.norm(0.0).max() == 0
    assert certificate[-1] == 0
    assert np.all(certificate[2:] <= 1e-8 * weights)


def test_relative_certificate_is_a_share_of_the_norm():
    path = make(3, 25, 5, free=2, factors=True).study().path
    alphas = np.array([0.0, 0.1, 3.0, np.inf])
    assert_allclose(
        path.certificate(alphas, relative=True)[:3], path.certificate(alphas)[:3] / path.norm(alphas)[:3]
    )
    assert path.certificate(np.inf, relative=True) == 0


def test_several_targets_have_the_largest_bound():
    problem = make(3, 25, 5, t=3)
    alone = [problem.with_(y=problem.y[:, j]).study().path for j in range(3)]
    largest = max(path.certificate(0.1) for path in alone)
    assert_allclose(problem.study().path.certificate(0.1), largest, rtol=10)
    assert largest > 0


def test_certificate_needs_a_loss_that_is_known_to_be_convex():
    assert np.isnan(es.quadratic([1.0, 2.0], np.eye(2)).certificate(0.1))


def test_squared_loss_is_trusted_everywhere():
    assert make(3, 25, 5).study().path.trusted == (0.0, np.inf)


def test_strengths_that_differ_by_rounding_give_weights_that_do():
    path = make(3, 25, 5).study().path
    assert_allclose(path.weights(0.1 * (1 + EPS)), path.weights(0.1), rtol=1e-13)


# --- shapes: the table of the contract ----------------------------------------------------------------


def y_of(targets: str, n: int = 12) -> np.ndarray:
    Y = np.random.default_rng(1).normal(size=(n, 3))
    return {"1-d": Y[:, 0], "(n, 1)": Y[:, :1], "(n, t)": Y}[targets]


@pytest.mark.parametrize(("targets", "axis"), [("1-d", ()), ("(n, 1)", (1,)), ("(n, t)", (3,))])
@pytest.mark.parametrize("shape", [(12, 4), (12, 15)])
@pytest.mark.parametrize(("alpha", "lead"), [(0.1, ()), ([0.1], (1,)), ([0.0, 0.1, 1.0, np.inf], (4,))])
def test_shapes_at_given_strengths(targets, axis, shape, alpha, lead):
    p = shape[1]
    study = es.study(np.random.default_rng(0).normal(size=shape), y_of(targets))
    k = len(study.spectrum.eigenvalues)
    assert study.coef(alpha).shape == study.path.weights(alpha).shape == (*lead, *axis, p)
    for values in (study.intercept(alpha), study.path.norm(alpha), study.path.train_loss(alpha)):
        assert np.shape(values) == (*lead, *axis)
    for curve in study.risk.values():
        assert np.shape(curve(alpha)) == np.shape(curve.derivative(alpha)) == (*lead, *axis)
    for function in ("effective_parameters", "residual_bound", "certificate"):
        assert np.shape(getattr(study.path, function)(alpha)) == lead
    assert study.path.shrinkage(alpha).shape == (*lead, k)


@pytest.mark.parametrize(("targets", "axis"), [("1-d", ()), ("(n, 1)", (1,)), ("(n, t)", (3,))])
@pytest.mark.parametrize("asked", [{}, {"alpha": 0.1}, {"per_target": False}])
def test_shapes_as_chosen(targets, axis, asked):
    study = es.study(np.random.default_rng(0).normal(size=(12, 4)), y_of(targets), **asked)
    assert study.coef().shape == (*axis, 4)
    assert np.shape(study.alpha) == np.shape(study.intercept()) == axis
    assert np.shape(study.effective_parameters) == np.shape(study.choice.boundary) == axis
    for curve in study.risk.values():
        assert np.shape(curve()) == np.shape(curve.derivative()) == axis
        minimum = curve.minimum
        assert np.shape(minimum.alpha) == np.shape(minimum.value) == np.shape(minimum.boundary) == axis
    assert study.predict(np.zeros((7, 4))).shape == (7, *axis)
    assert study.predict(np.zeros((7, 4)), alpha=0.3).shape == (7, *axis)
    assert np.shape(study.spectrum.coordinates) == (*axis, 4)
    if not axis:
        assert type(study.alpha) is type(study.intercept()) is type(study.effective_parameters) is float
    else:
        assert study.coef(per_target=np.full(axis, 0.2)).shape == (*axis, 4)
        assert study.intercept(per_target=np.full(axis, 0.2)).shape == axis


@pytest.mark.parametrize("function", ["weights", "shrinkage", "norm", "certificate", "residual_bound"])
@pytest.mark.parametrize("bad", [-1.0, np.nan, None, "much", [[0.1]], [0.1, -0.1]])
def test_bad_strengths_are_refused(function, bad):
    path = make(3, 12, 4).study().path
    with pytest.raises(es.InputError, match="alpha"):
        getattr(path, function)(bad)


# --- dtype in = dtype out -----------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("shape", [(25, 5), (12, 20)])
def test_float32_in_float32_out(wrap, shape):
    problem = make(3, *shape, t=2)
    X, Y = problem.X.astype(np.float32), problem.y.astype(np.float32)
    study, wide = es.study(wrap(X), Y), es.study(X.astype(float), Y.astype(float))
    assert study.coef(0.1).dtype == study.coef().dtype == np.float32
    assert study.coef([0.1, 1.0]).dtype == study.coef(per_target=[0.1, 1.0]).dtype == np.float32
    assert study.spectrum.eigenvalues.dtype == study.spectrum.basis.dtype == np.float64
    assert_array_equal(study.coef([0.0, 0.1]), wide.coef([0.0, 0.1]).astype(np.float32))
    assert wide.coef(0.1).dtype == np.float64
