"""The benchmark that trains again: its trainings are right, and what is predicted is held against them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks import retrain
from benchmarks.retraining.compare import Comparison, Losses, Point, compare, strengths
from benchmarks.retraining.models import CASES, rows
from benchmarks.retraining.table import bars, markdown
from benchmarks.retraining.training import Problem, settle, train
from sklearn.linear_model import LogisticRegression

LOGISTIC = replace(CASES["logistic regression"], rows=120)


@pytest.fixture(scope="module")
def comparison():
    torch.set_num_threads(1)
    return compare(LOGISTIC, count=7, cold=False)


def test_trainings_stop_where_scikit_learn_does(comparison):
    training, testing = rows(120)
    X, y = training.pictures.reshape(120, 64).numpy(), training.digits.numpy()
    for point in comparison.points[::4]:
        fitted = LogisticRegression(C=1 / (120 * point.alpha), tol=1e-10, max_iter=10_000).fit(X, y)
        shares = fitted.predict_proba(testing.pictures.reshape(-1, 64).numpy())
        test = -np.log(shares[np.arange(len(shares)), testing.digits.numpy()]).mean()
        assert point.trained.test == pytest.approx(test, rel=1e-5)
    assert max(point.gain for point in comparison.points) < 1e-9


def test_predictions_are_within_two_percent_where_they_are_trusted(comparison):
    low, high = comparison.trusted
    assert low <= comparison.alpha / 2
    assert high >= 2 * comparison.alpha
    assert comparison.worst() < 0.02
    assert comparison.worst("uncalibrated") > 0.1  # a quadratic is no good there
    for what in ("predicted", "uncalibrated"):
        assert comparison.worst(what, (comparison.alpha * 0.99, comparison.alpha * 1.01)) < 1e-6
    inside = [point for point in comparison.points if low * (1 - 1e-9) <= point.alpha <= high * (1 + 1e-9)]
    assert {low, high} <= {point.alpha for point in inside}
    assert all(point.predicted.apart <= point.uncalibrated.apart + 1e-6 for point in inside)


def test_table_says_what_was_met(comparison):
    text = markdown([comparison], 0)
    low, high = comparison.trusted
    reach = f"{comparison.alpha / low:.3g}× | {high / comparison.alpha:.3g}×"
    lines = [line for line in text.splitlines() if line.startswith("| logistic")]
    assert lines == [
        f"| logistic regression | predicted | {reach} | {comparison.worst():.1%} | yes |",
        f"| logistic regression | uncalibrated | {reach} | {comparison.worst('uncalibrated'):.1%} | **no** |",
    ]
    record = retrain.as_json([replace(comparison, trusted=(0.0, np.inf))])[0]
    assert record["trusted"] == [0.0, None]
    assert len(record["points"]) == len(comparison.points)


@pytest.mark.parametrize(("below", "met"), [(2.0, "yes"), (1.9, "**no**")])
def test_a_range_that_is_too_narrow_is_not_met(comparison, below, met):
    exact = tuple(replace(point, predicted=point.trained) for point in comparison.points)
    within = comparison.alpha / below, 3 * comparison.alpha
    line, _ = bars(replace(comparison, trusted=within, points=exact))
    assert line[-2:] == ["0.0%", met]


def test_worst_looks_inside_the_range_only():
    truth, wrong = Losses(1.0, 1.0), Losses(1.0, 1.5)
    points = [Point(a, wrong if a > 2 else truth, None, truth, None, 0.0) for a in (1.0, 2.0, 3.0)]
    made = Comparison("made", 1, 1, 1.0, "ggn", (1.0, 2.0), tuple(points))
    assert made.worst() == 0.0
    assert made.worst("predicted", (1.0, 3.0)) == pytest.approx(0.5)
    assert np.isnan(made.worst("uncalibrated"))


def test_strengths_hold_the_ends_once():
    grid = strengths(1e-3, 5, (5e-4, 1e-3, 1e9, 0.0))
    assert len(grid) == 6
    assert 1e-3 in grid
    assert 5e-4 in grid


@pytest.mark.parametrize("name", ["MLP", "CNN", "transformer"])
def test_curvature_and_gradient_of_every_model(name):
    """Against the slope of the loss, and the Jacobian of all outputs at once."""
    training, _ = rows(6)
    problem = Problem.of(CASES[name], training)
    made, w = np.random.default_rng(2), problem.weights
    v = made.normal(size=len(w))
    step = 1e-5
    slope = (problem.loss(w + step * v, training) - problem.loss(w - step * v, training)) / (2 * step)
    assert problem.gradient(w)[1] @ v == pytest.approx(slope, rel=1e-5)
    up, down = (problem._scores(torch.from_numpy(w + s * v), training).numpy() for s in (step, -step))
    moved = (up - down) / (2 * step)
    share = problem._scores(torch.from_numpy(w), training).softmax(dim=1).numpy()
    product = (share * moved**2).sum() - ((share * moved).sum(axis=1) ** 2).sum()
    assert v @ problem.gauss_newton(w) @ v == pytest.approx(product / 6, rel=1e-5)


def test_free_weights_are_not_penalised():
    problem = Problem.of(LOGISTIC, rows(120)[0])
    assert problem.factor.sum() == 640
    assert np.all(problem.factor[-10:] == 0)
    assert np.all(Problem.of(CASES["MLP"], rows(6)[0]).factor == 1)


def test_a_training_is_no_worse_than_another_one():
    """The kick leaves saddles; what is kept is the lower."""
    training, _ = rows(40)
    case = replace(CASES["MLP"], alpha=1e-2, rows=40)
    problem = Problem.of(case, training)
    found = train(case, problem, case.alpha)
    again = settle(problem, found.weights, case.alpha)
    assert found.objective <= again.objective * (1 + 1e-6)
    assert found.gain < 1e-6
