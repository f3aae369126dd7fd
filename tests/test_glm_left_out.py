"""Leaving rows out of GLMs: the formulas densely, at anchors and between them, and refits (M14)."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import eigenshrink as es
import glm_criteria as criteria
from eigenshrink.risk import row_errors
from glm_oracles import predictor, solve
from glm_problems import LOSSES, anchors_of, between, make

BETWEEN = np.array([0.0137, 0.219, 3.3])


def folds_of(study: es.Study) -> np.ndarray:
    return study.path.fit.training.splits.folds


# --- the formula: exact at anchors, near between them ------------------------------------------------


@pytest.mark.parametrize("weights", [None, "precision", "frequency"])
@pytest.mark.parametrize("loss", LOSSES)
def test_leave_one_out_is_the_formula(loss, weights):
    problem = make(3, loss, n=60, p=5, weights=weights, free=1, signal=0.7)
    if loss == "binomial":
        problem = problem.with_(kind="precision")
    study = problem.study()
    for alphas, rtol in ((anchors_of(study.path), 1e-6), (BETWEEN, between(loss))):
        expected = [criteria.approximate(problem, alpha).mean(problem) for alpha in alphas]
        assert_allclose(study.risk["loo"](alphas), expected, rtol=rtol)


@pytest.mark.parametrize("how", [{"n": 30, "p": 40}, {"intercept": False}, {"factors": True, "offset": True}])
@pytest.mark.parametrize("loss", ["logistic", "multinomial", "poisson"])
def test_leave_one_out_of_other_shapes(loss, how):
    problem = make(3, loss, **how)
    study = problem.study()
    for alphas, rtol in ((anchors_of(study.path, low=1e-2), 1e-6), (BETWEEN, between(loss))):
        expected = [criteria.approximate(problem, alpha).mean(problem) for alpha in alphas]
        assert_allclose(study.risk["loo"](alphas), expected, rtol=rtol)


@pytest.mark.parametrize("weights", [None, "precision"])
@pytest.mark.parametrize("loss", LOSSES)
def test_leave_group_out_is_the_formula(loss, weights):
    problem = make(3, loss, n=60, p=5, weights=weights, signal=0.7)
    groups = np.random.default_rng(1).permutation(np.minimum(np.arange(60) // 3, 15))
    study = problem.study(groups=groups)
    for alphas, rtol in ((anchors_of(study.path, low=1e-2), 1e-6), (BETWEEN, between(loss))):
        expected = [criteria.approximate(problem, alpha, groups).mean(problem) for alpha in alphas]
        assert_allclose(study.risk["leave_group_out"](alphas), expected, rtol=rtol)


def test_groups_of_one_row_are_left_out_as_rows_are():
    problem = make(3, "multinomial", weights="precision")
    study = problem.study(groups=np.arange(50))
    assert_allclose(study.risk["leave_group_out"](BETWEEN), problem.study().risk["loo"](BETWEEN), rtol=1e-3)


@pytest.mark.parametrize("loss", ["logistic", "multinomial"])
def test_misclassified_rows_are_counted_when_left_out(loss):
    problem = make(3, loss, n=80, weights="precision")
    study = problem.study()
    for alpha in anchors_of(study.path):
        eta = criteria.approximate(problem, alpha).eta
        guess = eta.argmax(axis=1) if loss == "multinomial" else (eta[:, 0] > 0).astype(int)
        wrong = np.average(guess != problem.response, weights=problem.weights)
        assert study.risk["misclassified"](alpha) == pytest.approx(wrong, abs=1e-12)
    assert "misclassified" not in make(3, "poisson").study().risk


@pytest.mark.parametrize("loss", ["logistic", "poisson", "gamma", "binomial"])
def test_errors_of_single_rows(loss):
    problem = make(3, loss, weights=None if loss == "binomial" else "precision")
    study = problem.study()
    (alpha,) = anchors_of(study.path, most=1)
    found, left = row_errors(study.path, np.array([alpha])), criteria.approximate(problem, alpha)
    fitted = problem.deviance.mean(predictor(problem, solve(problem, alpha))[:, 0])
    power = {"poisson": 1, "gamma": 2}.get(loss)

    def pearson(mu):
        variance = mu**power if power else mu * (1 - mu)
        return (problem.response - mu) / np.sqrt(variance)

    assert found.fitted.shape == found.left_out.shape == (50, 1)
    assert_allclose(found.fitted[:, 0], fitted, rtol=1e-6)
    assert_allclose(found.residual[:, 0], pearson(fitted), rtol=1e-5, atol=1e-8)
    assert_allclose(found.left_out[:, 0], pearson(problem.deviance.mean(left.eta[:, 0])), rtol=1e-5)
    assert_allclose(found.leverage[:, 0], left.leverage, rtol=1e-5)


# --- folds and rows that are held out ----------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, "precision"])
@pytest.mark.parametrize("loss", LOSSES)
def test_folds_are_refits_at_the_same_total_strength(loss, weights):
    problem = make(3, loss, n=60, p=5, weights=weights, signal=0.7)
    study = problem.study(folds=4)
    for alpha in BETWEEN:
        expected = criteria.refitted(problem, alpha, folds_of(study)).mean(problem)
        assert study.risk["kfold"](alpha) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("loss", ["logistic", "poisson"])
def test_folds_of_groups_and_of_frequency_weights(loss):
    problem = make(3, loss, n=60, p=5, weights="frequency", free=1)
    groups = np.arange(60) % 13
    study = problem.study(folds=3, groups=groups)
    folds = folds_of(study)
    assert all(len(np.unique(folds[groups == group])) == 1 for group in range(13))
    for alpha in BETWEEN:
        expected = criteria.refitted(problem, alpha, folds).mean(problem)
        assert study.risk["kfold"](alpha) == pytest.approx(expected, rel=1e-3)


def test_folds_of_a_class_that_one_fold_lacks():
    problem = make(3, "multinomial", n=60)
    rare = problem.with_(y=np.where(np.arange(60) < 2, "rare", problem.y))
    study = rare.study(folds=5)
    expected = criteria.refitted(rare, 0.2, folds_of(study)).mean(rare)
    assert np.isfinite(expected)
    assert study.risk["kfold"](0.2) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("loss", LOSSES)
def test_rows_that_judge(loss):
    problem = make(3, loss, n=60, weights=None if loss == "binomial" else "precision", offset=False)
    s = None if loss == "binomial" else np.random.default_rng(0).uniform(0.5, 2, 25)
    others = make(3, loss, n=85, offset=False).rows(np.arange(60, 85)).with_(s=s)
    study = problem.study(validation=(others.X, others.y) if s is None else (others.X, others.y, s))
    expected = [criteria.judged(problem, alpha, others) for alpha in BETWEEN]
    assert_allclose(study.risk["validation"](BETWEEN), expected, rtol=1e-4)


@pytest.mark.parametrize("loss", ["logistic", "multinomial", "poisson"])
def test_a_share_of_the_rows_judges_with_its_offsets_and_weights(loss):
    problem = make(3, loss, n=80, weights="precision", offset=True)
    study = problem.study(validation=0.25)
    held = study.path.fit.training.splits.holdout.X
    out = np.array([np.any(np.all(np.isclose(row, held), axis=1)) for row in problem.X])
    assert 10 <= out.sum() == len(held) <= 30
    rest = problem.rows(~out)
    expected = [criteria.judged(rest, alpha, problem.rows(out)) for alpha in BETWEEN]
    assert_allclose(study.risk["validation"](BETWEEN), expected, rtol=1e-4)


# --- how sure -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, "precision"])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_standard_error_is_of_paired_rows(loss, weights):
    problem = make(3, loss, n=60, p=5, weights=weights, signal=0.7)
    curve = problem.study().risk["loo"]
    best = criteria.approximate(problem, float(curve.minimum.alpha)).value
    for alpha in BETWEEN:
        here = criteria.approximate(problem, alpha)
        expected = criteria.standard_error(problem, here.value, best)
        known = 1e-3 * here.mean(problem)  # as well as the curve itself between anchors
        assert curve.standard_error(alpha) == pytest.approx(expected, rel=1e-2, abs=known)


def test_the_minimum_is_lower_than_a_grid():
    for loss in LOSSES:
        curve = make(3, loss).study().risk["loo"]
        grid = np.logspace(-3, 4, 60)
        assert curve.minimum.value <= np.min(curve(grid)) * (1 + 1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_slopes_are_differences(loss):
    curve, h = make(3, loss).study().risk["loo"], 0.02
    size = np.ptp(curve(np.logspace(-2, 2, 30)))
    for alpha in BETWEEN:
        differences = (curve(alpha * np.exp(h)) - curve(alpha * np.exp(-h))) / (2 * h)
        assert curve.derivative(alpha) == pytest.approx(differences, abs=1e-2 * size)
