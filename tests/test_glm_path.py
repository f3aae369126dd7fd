"""The path of generalised linear models at strengths between its anchors, against dense Newton (M16, M17)."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
import glm_oracles as oracles
from glm_oracles import Glm
from glm_problems import CASES, CONVEX, LOSSES, make

BETWEEN = np.array([0.0037, 0.0513, 0.719, 11.9])
TOL = 1e-8


@cache
def asked(loss: str, case: str) -> tuple[Glm, es.Study]:
    problem = make(3, loss, **CASES[case])
    return problem, problem.study(criterion="evidence" if loss in ("logistic", "poisson") else "loo")


def size(problem: Glm, W: np.ndarray) -> float:
    """``‖W‖_D``."""
    return oracles.distance(problem, W, np.zeros_like(W))


def assert_is_the_oracle(problem: Glm, study: es.Study, alphas=BETWEEN, rtol=TOL) -> None:
    """Penalised weights in the norm of M16, everything else in the linear predictor."""
    for alpha in alphas:
        theta = oracles.solve(problem, alpha)
        truth = oracles.coef(problem, theta)
        error = oracles.distance(problem, study.coef(alpha), truth)
        assert error <= rtol * size(problem, truth) + 1e-13, (alpha, error)
        wanted = oracles.predictor(problem, theta)
        found = study.linear_predictor(problem.X, alpha, offset=problem.offset).reshape(wanted.shape)
        if problem.loss == "multinomial":
            wanted, found = (eta - eta.mean(axis=1, keepdims=True) for eta in (wanted, found))
        assert_allclose(found, wanted, atol=100 * rtol * (1 + np.abs(wanted).max()))


# --- values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("loss", CONVEX)
def test_weights_are_within_their_certificate_and_the_certificate_within_tol(loss, case):
    problem, study = asked(loss, case)
    bounds = study.path.certificate(BETWEEN)
    for alpha, W, bound in zip(BETWEEN, study.path.weights(BETWEEN), bounds, strict=True):
        truth = oracles.coef(problem, oracles.solve(problem, alpha))
        error = oracles.distance(problem, W, truth)
        assert error <= bound + oracles.certificate(problem, alpha, truth)
        assert bound <= TOL * size(problem, truth) * (1 + 1e-6)
    low, high = study.path.trusted
    assert low <= BETWEEN[0]
    assert high >= BETWEEN[-1]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("loss", CONVEX)
def test_free_weights_and_intercepts_are_those_of_dense_newton(loss, case):
    problem, study = asked(loss, case)
    assert_is_the_oracle(problem, study)
    if "collinear" not in case:
        for alpha in BETWEEN:
            theta = oracles.solve(problem, alpha)
            scale = 1 + np.abs(theta).max()
            assert_allclose(study.coef(alpha), oracles.coef(problem, theta), atol=1e-6 * scale)
            assert_allclose(study.intercept(alpha), oracles.intercept(problem, theta), atol=1e-6 * scale)


@pytest.mark.parametrize("case", CASES)
def test_without_convexity_it_is_the_same_minimum_without_a_certificate(case):
    problem, study = asked("inverse_gaussian", case)
    assert np.isnan(study.path.certificate(BETWEEN)).all()
    assert not study.path.loss.convex
    assert_is_the_oracle(problem, study, alphas=BETWEEN[1:], rtol=1e-7)


@pytest.mark.parametrize("loss", ["tweedie:1.2", "huber:0.7", "huber:3"])
def test_losses_with_a_number_of_their_own(loss):
    problem = make(4, loss, weights="precision")
    assert_is_the_oracle(problem, problem.study())


def test_plain_tweedie_has_the_power_in_the_middle():
    problem = make(4, "tweedie")
    assert_array_equal(problem.study().coef(0.1), problem.with_(loss="tweedie:1.5").study().coef(0.1))


@pytest.mark.parametrize("shape", [(200, 4), (60, 3)])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_ends_of_the_path(loss, shape):
    problem = make(6, loss, *shape, free=1, weights="precision", signal=0.5)
    study = problem.study()
    assert study.path.lowest == 0.0
    for alpha in (0.0, np.inf):
        theta = oracles.solve(problem, alpha)
        assert_allclose(study.coef(alpha), oracles.coef(problem, theta), atol=1e-7)
        assert_allclose(study.intercept(alpha), oracles.intercept(problem, theta), atol=1e-7)
    penalised = np.atleast_2d(study.coef(np.inf))[:, :-1]
    assert_array_equal(penalised, np.zeros_like(penalised))


@pytest.mark.parametrize("loss", CONVEX)
def test_far_ends_join_the_limits(loss):
    problem = make(6, loss, 200, 4, signal=0.5)
    study = problem.study()
    assert_is_the_oracle(problem, study, alphas=[1e-7, 1e-5, 1e3, 1e7], rtol=1e-7)


@pytest.mark.parametrize("loss", CONVEX)
@pytest.mark.parametrize("tol", [1e-4, 1e-10])
def test_the_tolerance_that_is_asked_for_is_kept(loss, tol):
    problem = make(8, loss)
    study = problem.study(tol=tol)
    assert np.all(study.path.certificate(BETWEEN, relative=True) <= tol)
    assert_is_the_oracle(problem, study, rtol=tol)


# --- columns ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", CONVEX)
@pytest.mark.parametrize("weights", [None, "precision"])
def test_standardising_is_a_penalty_factor(loss, weights):
    problem = make(5, loss, weights=weights)
    s = problem.weights
    mean = np.average(problem.X, axis=0, weights=s)
    factors = np.average((problem.X - mean) ** 2, axis=0, weights=s)
    assert_is_the_oracle(problem.with_(d=factors), problem.study(standardize=True))


@pytest.mark.parametrize("loss", LOSSES)
def test_constant_columns_have_weights_that_are_exactly_zero(loss):
    problem = make(5, loss)
    with_constants = np.insert(problem.X, [0, 3], [7.0, 0.0], axis=1)
    study, other = problem.with_(X=with_constants).study(), problem.study()
    found = np.atleast_2d(study.coef(0.05))
    assert np.all(found[:, [0, 4]] == 0.0)
    kept = np.delete(found, [0, 4], axis=1)
    assert_allclose(kept, np.atleast_2d(other.coef(0.05)), atol=1e-8)


@pytest.mark.parametrize("loss", ["logistic", "multinomial", "poisson"])
@pytest.mark.parametrize("alpha", [0.0, 0.05])
def test_equal_columns_share_the_weight(loss, alpha):
    problem = make(6, loss, 200, 4, signal=0.5)
    twice = problem.with_(X=np.hstack([problem.X, problem.X[:, :1]]))
    found = np.atleast_2d(twice.study().coef(alpha))
    assert_allclose(found[:, 0], found[:, -1], atol=1e-9)
    truth = oracles.coef(twice, oracles.solve(twice, alpha))
    assert_allclose(found, np.atleast_2d(truth), atol=1e-7)


@pytest.mark.parametrize("loss", CONVEX)
@pytest.mark.parametrize("kind", [scipy.sparse.csr_matrix, scipy.sparse.csc_array])
def test_sparse_and_dense_rows_are_alike(loss, kind):
    problem = make(5, loss, sparse=True, weights="precision", free=1)
    dense, sparse = problem.with_(X=problem.dense).study(), problem.with_(X=kind(problem.X)).study()
    assert_allclose(sparse.coef(BETWEEN), dense.coef(BETWEEN), atol=1e-7)
    assert_allclose(sparse.intercept(BETWEEN), dense.intercept(BETWEEN), atol=1e-7)


@pytest.mark.parametrize("loss", CONVEX)
def test_rows_in_single_precision(loss):
    problem = make(5, loss, signal=0.5)
    rounded = problem.with_(X=problem.X.astype(np.float32))
    study = rounded.study()
    assert study.coef(0.05).dtype == np.float32
    bounds = study.path.certificate(BETWEEN)
    for alpha, W, bound in zip(BETWEEN, study.coef(BETWEEN), bounds, strict=True):
        truth = oracles.coef(rounded, oracles.solve(rounded, alpha))
        error = oracles.distance(problem, W, truth)
        assert error <= bound + oracles.certificate(rounded, alpha, truth)
        assert bound <= 1e-5 * size(problem, truth)


# --- the same question put differently ----------------------------------------------------------------


@pytest.mark.parametrize("loss", CONVEX)
def test_columns_far_from_zero(loss):
    problem = make(7, loss, weights="precision")
    study, moved = problem.study(), problem.with_(X=problem.X + 1e5).study()
    assert_allclose(moved.coef(BETWEEN), study.coef(BETWEEN), atol=1e-7)
    found = moved.linear_predictor(problem.X + 1e5, 0.05, offset=problem.offset)
    assert_allclose(found, study.linear_predictor(problem.X, 0.05, offset=problem.offset), atol=1e-6)


@pytest.mark.parametrize("loss", CONVEX)
def test_the_order_of_rows_and_the_size_of_weights_do_not_matter(loss):
    problem = make(7, loss, weights="precision", free=1)
    study, order = problem.study(), np.random.default_rng(0).permutation(50)
    for other in (problem.rows(order), problem.with_(s=1e3 * problem.s), problem.with_(s=1e-3 * problem.s)):
        found = other.study()
        scale = np.abs(study.coef(BETWEEN)).max()
        assert_allclose(found.coef(BETWEEN), study.coef(BETWEEN), atol=3e-8 * scale)
        assert_allclose(found.intercept(BETWEEN), study.intercept(BETWEEN), atol=1e-7 * (1 + scale))
        assert_allclose(
            found.path.effective_parameters(BETWEEN), study.path.effective_parameters(BETWEEN), rtol=1e-4
        )


@pytest.mark.parametrize("loss", CONVEX)
def test_a_weight_of_two_is_a_row_twice(loss):
    problem = make(7, loss, weights="frequency")
    copies = np.repeat(np.arange(50), problem.s.astype(int))
    long = problem.rows(copies).with_(s=None, kind="precision")
    study, other = problem.study(), long.study()
    scale = np.abs(study.coef(BETWEEN)).max()
    assert_allclose(study.coef(BETWEEN), other.coef(BETWEEN), atol=3e-8 * scale)
    assert_allclose(study.intercept(BETWEEN), other.intercept(BETWEEN), atol=1e-7 * (1 + scale))


@pytest.mark.parametrize("loss", ["logistic", "poisson", "gamma"])
def test_a_constant_offset_is_taken_from_the_intercept(loss):
    problem = make(7, loss, offset=False)
    study, moved = problem.study(), problem.with_(offset=np.full(50, 0.7)).study()
    assert_allclose(moved.coef(BETWEEN), study.coef(BETWEEN), atol=1e-7)
    assert_allclose(moved.intercept(BETWEEN), study.intercept(BETWEEN) - 0.7, atol=1e-7)


def test_exposure_is_an_offset_of_its_logarithm():
    """Counts y over exposure e are rates y/e with weights e."""
    problem = make(7, "poisson")
    exposure = np.exp(problem.offset)
    rates = problem.with_(y=problem.y / exposure, s=exposure, offset=None)
    ratio = len(exposure) / exposure.sum()
    assert_allclose(problem.study().coef(BETWEEN), rates.study().coef(ratio * BETWEEN), atol=1e-7)


def test_two_classes_as_a_softmax_at_twice_the_strength():
    problem = make(7, "logistic", weights="precision")
    softmax = problem.with_(loss="multinomial").study()
    binary = problem.study()
    both = softmax.coef(2 * BETWEEN)
    assert_allclose(both.sum(axis=1), 0.0, atol=1e-9)
    assert_allclose(both[:, 1] - both[:, 0], binary.coef(BETWEEN), atol=1e-7)
    intercepts = softmax.intercept(2 * BETWEEN)
    assert_allclose(intercepts[:, 1] - intercepts[:, 0], binary.intercept(BETWEEN), atol=1e-7)
    assert_allclose(softmax.predict(problem.X, 0.2)[:, 1], binary.predict(problem.X, 0.1), atol=1e-7)
    for name in ("loo", "train"):
        assert_allclose(softmax.risk[name](2 * BETWEEN), binary.risk[name](BETWEEN), rtol=2e-3)


def test_counts_are_rows_of_two_classes():
    problem = make(7, "binomial")
    hits, misses = problem.y.T
    twice = Glm("logistic", np.vstack([problem.X, problem.X]), np.r_[np.ones(50), np.zeros(50)].astype(int),
                s=np.r_[hits, misses].astype(float))  # fmt: skip
    fractions = problem.with_(y=hits / (hits + misses), s=(hits + misses).astype(float))
    for other in (twice, fractions):
        assert_allclose(problem.study().coef(BETWEEN), other.study().coef(BETWEEN), atol=1e-7)


def test_huber_with_a_wide_threshold_is_the_squared_loss():
    problem = make(7, "huber:1e6", weights="precision")
    squared = problem.with_(loss="squared").study()
    assert_allclose(problem.study().coef(BETWEEN), squared.coef(BETWEEN), rtol=1e-7)


def test_plain_huber_chooses_a_threshold_in_the_unit_of_y():
    problem = make(7, "huber:1").with_(loss="huber")
    study, scaled = problem.study(), problem.with_(y=10 * problem.y).study()
    assert_allclose(scaled.coef(BETWEEN), 10 * study.coef(BETWEEN), rtol=1e-6)
