"""The certificate of a convex loss holds for every vector and strength, and is not much larger (M16)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import glm_oracles as oracles
from glm_oracles import Glm
from glm_problems import CASES, CONVEX, make

ALPHAS = np.array([0.0083, 0.137, 2.9])


def true_errors(problem: Glm, W: np.ndarray, alphas) -> tuple[np.ndarray, np.ndarray]:
    """``‖W − w̃(α)‖_D`` for each strength, and how wrong the oracle itself may be."""
    errors, own = [], []
    for alpha, weights in zip(alphas, W, strict=True):
        truth = oracles.coef(problem, oracles.solve(problem, alpha))
        errors.append(oracles.distance(problem, weights, truth))
        own.append(oracles.certificate(problem, alpha, truth))
    return np.array(errors), np.array(own)


# --- it always holds ----------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    loss=st.sampled_from(CONVEX),
    case=st.sampled_from([*CASES, "separable"]),
    place=st.floats(-7.0, 4.0),
)
def test_no_error_is_beyond_it(seed, loss, case, place):
    wide = case == "separable"
    how = {"n": 15, "p": 30, "signal": 4.0} if wide else CASES[case] | {"n": 30}
    problem = make(seed, loss, **how)
    study = problem.study(tol=1e-5)  # far enough from rounding to be an error of the path
    alphas = np.maximum(np.exp(place) * np.array([1.0, 1.7]), 1.01 * study.path.lowest)
    errors, own = true_errors(problem, study.path.weights(alphas), alphas)
    assert np.all(errors <= study.path.certificate(alphas) + own)


@pytest.mark.parametrize("loss", CONVEX)
def test_it_is_not_much_larger_than_the_error(loss):
    """At strengths around the mean curvature; far below it M16 grows like curvature over strength."""
    ratios = []
    for seed in range(8):
        problem = make(seed, loss, factors=seed % 2 == 1, free=seed % 3)
        study = problem.study(tol=1e-3)  # so that there is an error to speak of
        alphas = mean_curvature(problem) * np.array([0.11, 0.37, 1.1, 3.7, 11.0])
        errors, own = true_errors(problem, study.path.weights(alphas), alphas)
        bounds = study.path.certificate(alphas)
        seen = errors > 100 * (own + 1e-13)
        ratios += list(bounds[seen] / errors[seen])
    assert len(ratios) >= 20
    assert min(ratios) >= 1.0
    assert np.median(ratios) <= 5.0


def mean_curvature(problem: Glm) -> float:
    """Of the penalised weights in the null model, in the unit of α."""
    d = np.repeat(problem.factors, problem.outputs)
    H = np.diag(oracles.hessian(problem, oracles.solve(problem, np.inf)))
    return float(np.mean(H[d > 0] / d[d > 0]))


# --- of any vector ------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("loss", CONVEX)
def test_any_vector_can_be_certified(loss, case):
    problem = make(3, loss, **CASES[case])
    path = problem.study().path
    rng = np.random.default_rng(0)
    for alpha in ALPHAS:
        W = path.weights(alpha)
        wrong = W + 0.01 * rng.normal(size=W.shape)
        assert path.certify(wrong, alpha) == pytest.approx(
            oracles.certificate(problem, alpha, wrong), rel=1e-5
        )


@pytest.mark.parametrize("loss", CONVEX)
def test_a_corrupted_vector_raises_it(loss):
    problem = make(3, loss, free=1)
    path = problem.study().path
    for alpha in ALPHAS:
        W = path.weights(alpha)
        good, wrong = path.certificate(alpha), W.copy()
        wrong[..., 2] += 1e-3
        truth = oracles.coef(problem, oracles.solve(problem, alpha))
        assert path.certify(wrong, alpha) > 100 * good
        assert path.certify(wrong, alpha) >= oracles.distance(problem, wrong, truth) * (1 - 1e-9)
        assert path.certify(W, alpha) == pytest.approx(good, rel=0.5, abs=1e-13)


def test_free_weights_of_the_vector_do_not_count():
    """They are solved for: whatever is said of them, the bound is that of the penalised ones."""
    problem = make(3, "logistic", free=2)
    path = problem.study().path
    wrong = path.weights(0.1) + np.r_[0.01, np.zeros(5)]
    moved = wrong + np.r_[np.zeros(4), 3.0, -2.0]
    assert path.certify(moved, 0.1) == pytest.approx(path.certify(wrong, 0.1), rel=1e-6)


def test_a_shift_of_all_classes_is_an_error_of_penalised_weights():
    problem = make(3, "multinomial")
    path = problem.study().path
    W = path.weights(0.1)
    assert path.certify(W + 0.01, 0.1) == pytest.approx(oracles.certificate(problem, 0.1, W + 0.01), rel=1e-6)


def test_the_bound_of_zero_weights():
    """At w = 0 the gradient is that of the null model."""
    problem = make(3, "poisson")
    path = problem.study().path
    slope = oracles.gradient(problem, oracles.solve(problem, np.inf))[:-1]
    assert path.certify(np.zeros(6), 0.5) == pytest.approx(np.linalg.norm(slope) / 0.5, rel=1e-9)


# --- limits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", CONVEX)
def test_relative_to_the_weights(loss):
    problem = make(3, loss, factors=True)
    path = problem.study().path
    relative = path.certificate(ALPHAS, relative=True)
    assert_allclose(relative, path.certificate(ALPHAS) / path.norm(ALPHAS), rtol=1e-6)


@pytest.mark.parametrize("loss", CONVEX)
def test_nothing_is_proved_without_a_penalty_and_everything_by_an_infinite_one(loss):
    path = make(3, loss, 200, 4, signal=0.5).study().path
    assert path.certificate(0.0) == np.inf
    assert path.certificate(np.inf) == 0.0
    assert_array_equal(path.certificate([0.0, np.inf]), [np.inf, 0.0])
    assert path.certificate(np.inf, relative=True) == 0.0


def test_a_loss_that_is_not_convex_has_none():
    path = make(3, "inverse_gaussian").study().path
    assert np.isnan(path.certificate(0.1))
    assert np.isnan(path.certificate(ALPHAS, relative=True)).all()
    assert np.isnan(path.certify(path.weights(0.1), 0.1))


@pytest.mark.parametrize("loss", CONVEX)
def test_the_trusted_interval_keeps_the_tolerance(loss):
    problem = make(5, loss, signal=2.0)
    path = problem.study().path
    low, high = path.trusted
    assert low < 1e-3
    assert high > 10
    inside = np.exp(np.linspace(np.log(max(low, 1e-6)), np.log(min(high, 1e6)), 23)[1:-1])
    assert np.all(path.certificate(inside, relative=True) <= 1e-8 * (1 + 1e-6))
