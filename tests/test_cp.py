"""Training error, its optimism, and Cp: what they are, when there is none, and that Cp has no bias (M14)."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
from criteria_oracles import (
    ALL,
    GRID,
    assert_no_grid_is_better,
    assert_slopes,
    cp,
    dispersion,
    every,
    left_out,
    observations,
    rank,
    train,
    values,
)
from oracles import CASES, Problem, hat, loo, make, solve

SPARE = [case for case in CASES if rank(make(3, **CASES[case])) < len(make(3, **CASES[case]).y)]
NONE_LEFT = ["wide", "wide, precision, targets", "wide, free, no intercept", "square", "one row more"]


@pytest.fixture(params=CASES)
def problem(request) -> Problem:
    return make(3, **CASES[request.param])


def curve(problem: Problem, name: str):
    return problem.study(criterion="evidence").risk[name]


# --- Cp -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", SPARE)
def test_cp_is_training_error_and_the_price_of_parameters(case):
    problem = make(3, **CASES[case])
    assert_allclose(values(curve(problem, "cp"), ALL), every(cp, problem, ALL), rtol=1e-9)


def test_which_problems_have_rows_to_spare():
    assert not set(SPARE) & set(NONE_LEFT)
    assert {"tall", "frequency weights", "collinear free columns", "targets", "all free"} <= set(SPARE)


@pytest.mark.parametrize("case", ["tall", "precision weights", "frequency weights"])
def test_the_noise_is_that_of_the_fit_without_penalty(case):
    """The same at every strength, although the residuals grow with α."""
    problem = make(3, **CASES[case])
    study = problem.study(criterion="evidence")
    price = study.risk["cp"](ALL) - study.risk["train"](ALL)
    noise = price * problem.weights.sum() / study.path.effective_parameters(ALL)
    assert_allclose(noise, dispersion(problem)[0], rtol=1e-9)


@pytest.mark.parametrize("weights", [None, "precision"])
@pytest.mark.parametrize("intercept", [True, False])
def test_cp_has_no_bias(weights, intercept):
    """Over draws of y at the same X: mean error for new y is that of Cp, and not the training error."""
    problem, draws, sd = make(3, 18, 5, weights=weights, intercept=intercept, noise=0.0), 4000, 1.5
    rng, s = np.random.default_rng(1), problem.weights
    mean = problem.y[:, None] - (0.0 if intercept else 2.0)  # within what the columns can say
    Y = mean + sd / np.sqrt(s)[:, None] * rng.normal(size=(18, draws))
    study = problem.with_(y=Y).study(criterion="evidence")
    for alpha in (0.0, 0.05, 1.0, np.inf):
        coef, intercepts = solve(problem.with_(y=Y), alpha)
        missed = s @ (mean - problem.X @ coef.T - intercepts) ** 2
        truth = (missed + 18 * sd**2) / (2 * s.sum())
        for name, biased in (("cp", False), ("train", True)):
            apart = study.risk[name](alpha) - truth
            error = apart.std() / np.sqrt(draws)
            used = intercept or alpha < np.inf
            assert (np.abs(apart.mean()) > 5 * error) == (biased and used)
            assert biased or np.abs(apart.mean()) < 3.5 * error


def test_the_divergence_of_stein_is_the_number_of_effective_parameters():
    """``Σ ∂ŷ_i/∂y_i`` by differences, also with weights: it is what the noise is multiplied with."""
    problem = make(3, 18, 5, weights="precision")
    study = problem.study()
    for alpha in (0.0, 0.05, 1.0):

        def fitted(y, alpha=alpha):
            coef, intercept = solve(problem.with_(y=y), alpha)
            return problem.X @ coef[0] + intercept

        steps = np.eye(18)
        divergence = sum((fitted(problem.y + h) - fitted(problem.y - h))[i] / 2 for i, h in enumerate(steps))
        price = study.risk["cp"](alpha) - study.risk["train"](alpha)
        assert_allclose(price, dispersion(problem)[0] * divergence / problem.s.sum(), rtol=1e-9)


@pytest.mark.parametrize("case", NONE_LEFT)
def test_without_rows_to_spare_there_is_no_cp(case):
    problem = make(3, **CASES[case])
    assert observations(problem) <= rank(problem)
    assert "cp" not in problem.study(criterion="evidence").risk
    with pytest.raises(es.InputError, match=rf"cp.*rank.*{rank(problem)}.*{len(problem.y)} observations"):
        problem.study(criterion="cp")


def test_one_row_to_spare_is_enough():
    problem = make(3, 12, 10)
    assert_allclose(values(curve(problem, "cp"), ALL), every(cp, problem, ALL), rtol=1e-9)


def test_copies_count_as_observations():
    """Frequency weights: ν = S, so that Cp is that of the rows written out."""
    problem = make(3, 20, 5, weights="frequency")
    copies = problem.s.astype(int)
    X, y = np.repeat(problem.X, copies, axis=0), np.repeat(problem.y, copies)
    written_out = Problem(X, y)
    assert_allclose(curve(problem, "cp")(ALL), curve(written_out, "cp")(ALL), rtol=1e-10)


# --- training error and optimism ----------------------------------------------------------------------


def test_training_error_is_that_of_the_fit(problem):
    study = problem.study(criterion="evidence")
    found, size = values(study.risk["train"], ALL), train(problem, np.inf).max()
    assert_allclose(found, every(train, problem, ALL), rtol=1e-9, atol=1e-20 * size)
    assert_allclose(found, values(study.path.train_loss, ALL), rtol=1e-12, atol=1e-20 * size)


def test_training_error_grows_with_the_strength(problem):
    study = problem.study(criterion="evidence")
    if len(study.spectrum.eigenvalues):
        assert np.all(
            np.diff(values(study.risk["train"], GRID), axis=0) >= -1e-12 * study.risk["train"](np.inf)
        )
        assert np.all(np.atleast_1d(study.risk["train"].minimum.alpha) == 0.0)


@pytest.mark.parametrize("case", [case for case, how in CASES.items() if how.get("weights") != "frequency"])
def test_optimism_is_leave_one_out_less_training_error(case):
    problem = make(3, **CASES[case])
    expected = every(loo, problem, ALL) - every(train, problem, ALL)
    found = values(curve(problem, "optimism"), ALL)
    assert_allclose(found, expected, rtol=1e-8, atol=1e-13 * train(problem, np.inf).max())


@pytest.mark.parametrize("case", CASES)
def test_optimism_of_groups_is_leave_group_out_less_training_error(case):
    problem = make(3, **CASES[case])
    groups = np.random.default_rng(0).permutation(np.arange(len(problem.y)) // 2)
    study = problem.study(groups=groups, criterion="evidence")
    expected = every(left_out, problem, ALL, groups) - every(train, problem, ALL)
    found = values(study.risk["optimism"], ALL)
    assert_allclose(found, expected, rtol=1e-8, atol=1e-13 * train(problem, np.inf).max())


def test_optimism_of_copies_that_are_found():
    half = make(3, 20, 5)
    rows = np.repeat(np.arange(20), 2)
    problem = half.with_(X=half.X[rows], y=half.y[rows])
    expected = every(left_out, problem, ALL, rows) - every(train, problem, ALL)
    assert_allclose(values(curve(problem, "optimism"), ALL), expected, rtol=1e-8)


def test_optimism_of_frequency_weights_is_that_of_the_estimate_that_is_shown():
    study = make(3, 20, 5, weights="frequency").study(criterion="evidence")
    true = study.risk["leave_group_out" if study.path.fit.training.splits.source else "loo"]
    assert_allclose(study.risk["optimism"](ALL), true(ALL) - study.risk["train"](ALL), rtol=1e-12)


@pytest.mark.parametrize("name", ["train", "optimism"])
def test_they_never_choose(name):
    with pytest.raises(es.InputError, match=rf"criterion must be .*; got '{name}'") as refused:
        make(3, 25, 5).study(criterion=name)
    offered = str(refused.value).split(";")[0]
    assert "train" not in offered
    assert "optimism" not in offered


# --- slopes, minima, shapes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "case"),
    [(name, case) for name in ("train", "optimism") for case in CASES] + [("cp", case) for case in SPARE],
)
def test_slopes_and_minimum(name, case):
    problem = make(3, **CASES[case])
    risk = curve(problem, name)
    assert_slopes(risk)
    assert_no_grid_is_better(risk, scale=train(problem, np.inf).max())


def test_the_choice_of_cp_is_its_minimum():
    problem = make(3, 25, 5, t=2)
    study = problem.study(criterion="cp")
    assert study.choice.criterion == "cp"
    assert_array_equal(study.alpha, study.risk["cp"].minimum.alpha)
    for j in range(2):
        around = study.alpha[j] * np.array([0.9, 1.0, 1.1])
        assert np.argmin([cp(problem, alpha)[j] for alpha in around]) == 1


@pytest.mark.parametrize("name", ["train", "optimism", "cp"])
def test_unit_and_shapes(name):
    one, three = (make(3, 25, 5, t=t).study().risk[name] for t in (None, 3))
    assert one.unit == "half mean squared error"
    assert [np.shape(one(a)) for a in (None, 0.1, [0.1, 1.0])] == [(), (), (2,)]
    assert [np.shape(three(a)) for a in (None, 0.1, [0.1, 1.0])] == [(3,), (3,), (2, 3)]


def test_the_keys_of_a_study():
    tall, wide = make(3, 25, 5), make(3, 12, 20)
    always = {"combined", "loo", "kfold", "gcv", "evidence", "train", "optimism"}
    assert set(wide.study().risk) == always
    assert set(tall.study().risk) == always | {"cp"}
    everything = tall.study(groups=np.arange(25) // 2, validation=0.2)
    assert set(everything.risk) == always | {"cp", "leave_group_out", "validation"}


def test_the_oracle_counts_what_the_hat_matrix_says():
    """Collinear free columns count once, the intercept too."""
    problem = make(3, **CASES["collinear free columns"])
    assert rank(problem) == np.linalg.matrix_rank(np.column_stack([problem.X, np.ones(25)]), rtol=1e-9) == 6
    assert np.isclose(np.trace(hat(problem, np.inf)), 3.0)
