"""The study: what it answers, in original units, computed when it is first asked for."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_diabetes

import eigenshrink as es
from oracles import Problem, make


@pytest.fixture(scope="module")
def study() -> es.Study:
    return make(3, 25, 5, weights="precision", factors=True, free=1).study()


@pytest.fixture(scope="module")
def targets() -> es.Study:
    return make(3, 25, 5, t=3, noise=2.0).study()


# --- answers ------------------------------------------------------------------------------------------


def test_as_chosen_is_at_the_chosen_strength(study):
    assert study.alpha == study.choice.alpha == study.risk[study.choice.criterion].minimum.alpha
    assert_array_equal(study.coef(), study.coef(study.alpha))
    assert study.intercept() == study.intercept(study.alpha)
    assert study.effective_parameters == study.path.effective_parameters(study.alpha)
    for curve in study.risk.values():
        assert curve() == curve(study.alpha)


def test_each_target_at_its_own_strength(targets):
    assert len(set(targets.alpha)) == 3
    for j in range(3):
        assert_allclose(targets.coef()[j], targets.coef(targets.alpha[j])[j])
        assert_allclose(targets.intercept()[j], targets.intercept(targets.alpha[j])[j])
    assert_array_equal(targets.coef(per_target=targets.alpha), targets.coef())
    assert_array_equal(targets.intercept(per_target=targets.alpha), targets.intercept())
    mixed = targets.coef(per_target=[0.0, 0.5, np.inf])
    assert_allclose(mixed, [targets.coef(a)[j] for j, a in enumerate([0.0, 0.5, np.inf])])


def test_predictions_are_rows_times_coefficients():
    for problem in (make(3, 25, 5), make(3, 12, 20, t=2), make(3, 25, 5, intercept=False)):
        study = problem.study()
        for X in (problem.X[:7], scipy.sparse.csr_array(problem.X[:7]), problem.X[:7].tolist()):
            wanted = problem.X[:7] @ study.coef().T + study.intercept()
            assert_allclose(study.predict(X), wanted, rtol=1e-12)
            assert_allclose(
                study.predict(X, alpha=0.3), problem.X[:7] @ study.coef(0.3).T + study.intercept(0.3)
            )


def test_without_intercept_it_is_zero():
    study = make(3, 25, 5, t=2, intercept=False).study()
    assert_array_equal(study.intercept([0.1, 1.0]), np.zeros((2, 2)))
    assert make(3, 25, 5, intercept=False).study().intercept() == 0.0


def test_predictions_of_rows_far_from_zero_do_not_lose_the_spread():
    """Means 10⁷ times the spread: right to 1e-8 of the spread."""
    problem = make(3, 25, 5)
    far = problem.with_(X=np.rint(problem.X * 2**20) / 2**20 + 1e7)
    near = problem.with_(X=far.X - 1e7)
    difference = far.study().predict(far.X, 0.1) - near.study().predict(near.X, 0.1)
    assert_allclose(difference, 0.0, atol=1e-7 * np.std(problem.y))


@pytest.mark.parametrize("shape", [(25, 5), (12, 20)])
def test_the_table_of_directions(shape):
    problem = make(3, *shape, t=2, factors=True, free=1)
    study, pen = problem.study(feature_names=[f"c{j}" for j in range(shape[1])]), problem.factors > 0
    table = study.directions(0.3, top=2, target=1)
    assert len(table) == len(study.spectrum.eigenvalues)
    assert_array_equal(table.eigenvalue, study.spectrum.eigenvalues)
    assert_allclose(table.coordinate, study.spectrum.coordinates[1])
    assert_allclose(table.shrinkage, table.eigenvalue / (table.eigenvalue + 0.3))
    names = np.array([f"c{j}" for j in range(shape[1])])[pen]
    for i, row in enumerate(table.columns):
        loadings = study.spectrum.basis[:, i]
        biggest = np.argsort(-np.abs(loadings))[:2]
        assert [name for name, _ in row] == list(names[biggest])
        assert_allclose([value for _, value in row], loadings[biggest])


def test_verdicts_of_directions():
    X = np.diag([100.0, 10.0, 9.0, 1.0, 0.1]) @ np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0]
    study = Problem(np.r_[X, X], np.arange(10.0), intercept=False).study()
    values = study.spectrum.eigenvalues
    assert study.directions(float(values[1]) / 9.01).verdict[1] == "kept"
    assert study.directions(float(values[1]) / 8.99).verdict[1] == "fading"
    assert study.directions(float(values[3]) * 9.01).verdict[3] == "gone"
    assert study.directions(float(values[3]) * 8.99).verdict[3] == "fading"
    assert set(study.directions(np.inf).verdict) == {"gone"}
    assert set(study.directions(0.0).verdict) == {"kept"}


def test_directions_as_chosen(targets):
    for target in range(3):
        chosen = targets.directions(target=target)
        assert_allclose(chosen.shrinkage, targets.path.shrinkage(targets.alpha[target]))


def test_strengths_for_display(study):
    values = study.spectrum.eigenvalues
    assert np.all(np.diff(study.alphas) > 0)
    assert study.alphas[0] < values[-1] / 50
    assert study.alphas[-1] > values[0] * 50
    for problem in (make(3, 25, 5, noise=0.0), make(3, 25, 3, free=3), make(3, 12, 20)):
        shown = problem.study().alphas
        assert np.all((shown > 0) & np.isfinite(shown))
        assert np.all(np.diff(shown) > 0)


def test_a_chosen_strength_is_among_those_displayed():
    study = make(3, 25, 5).study(alpha=1e-9)
    assert study.alphas[0] < 1e-9 < study.alphas[-1]


# --- facts and names ----------------------------------------------------------------------------------


def test_facts():
    problem = make(3, 20, 5, t=2, weights="frequency", free=1)
    facts = problem.study(standardize=True).facts
    S = problem.s.sum()
    assert (facts.rows, facts.columns, facts.targets) == (20, 5, 2)
    assert (facts.weight_sum, facts.observations, facts.weight_kind) == (S, S, "frequency")
    assert (facts.fit_intercept, facts.standardize, facts.penalty_factor) == (True, True, True)
    assert (facts.one_target, facts.free_rank) == (False, 2)
    mean = np.average(problem.y, axis=0, weights=problem.s)
    assert_allclose(facts.target_sd, np.sqrt(np.average((problem.y - mean) ** 2, axis=0, weights=problem.s)))


def test_facts_of_the_simplest_study():
    problem = make(3, 25, 5, intercept=False)
    facts = problem.study().facts
    assert (facts.weight_sum, facts.observations, facts.weight_kind) == (25, 25, "precision")
    assert (facts.fit_intercept, facts.standardize, facts.penalty_factor) == (False, False, False)
    assert (facts.one_target, facts.free_rank) == (True, 0)
    assert_allclose(facts.target_sd, np.sqrt(np.mean(problem.y**2)))


def test_facts_of_how_rows_were_split():
    problem = make(3, 40, 5)
    facts = problem.study().facts
    assert (facts.groups, facts.groups_source, facts.folds) == (0, "none", 5)
    assert (facts.held_out, facts.held_out_source) == (0, "none")
    pairs = problem.study(groups=np.arange(40) // 2, folds=4, validation=(problem.X[:7], problem.y[:7])).facts
    assert (pairs.rows, pairs.groups, pairs.groups_source, pairs.folds) == (40, 20, "given", 4)
    assert (pairs.held_out, pairs.held_out_source) == (7, "given")
    held = problem.study(groups=np.arange(40) // 2, validation=0.2).facts
    assert (held.rows, held.groups, held.held_out, held.held_out_source) == (32, 16, 8, "fraction")
    twice = problem.with_(X=np.r_[problem.X, problem.X[:9]], y=np.r_[problem.y, problem.y[:9]]).study().facts
    assert (twice.rows, twice.groups, twice.groups_source) == (49, 40, "found")


def test_precision_weights_count_rows():
    problem = make(3, 25, 5, weights="precision")
    facts = problem.study().facts
    assert (facts.weight_sum, facts.observations) == (pytest.approx(problem.s.sum()), 25)


def test_names_of_columns_and_targets():
    problem = make(3, 25, 3, t=2)
    plain = problem.study()
    assert (plain.feature_names, plain.target_names) == (("x0", "x1", "x2"), ("y0", "y1"))
    for frame in (pd.DataFrame, lambda v, columns: pl.DataFrame(v, schema=columns)):
        study = es.study(frame(problem.X, columns=["a", "b", "c"]), frame(problem.y, columns=["u", "v"]))
        assert (study.feature_names, study.target_names) == (("a", "b", "c"), ("u", "v"))
    named = es.study(pd.DataFrame(problem.X, columns=[1, 2, 3]), problem.y, feature_names=["p", "q", "r"])
    assert named.feature_names == ("p", "q", "r")
    assert es.study(pd.DataFrame(problem.X, columns=[1, 2, 3]), problem.y).feature_names == ("1", "2", "3")


# --- what a study is ----------------------------------------------------------------------------------


def test_a_study_is_frozen(study):
    with pytest.raises(dataclasses.FrozenInstanceError):
        study.loss = "poisson"


def test_costly_parts_are_computed_once(study):
    for name in ("risk", "choice", "audit", "alphas"):
        assert getattr(study, name) is getattr(study, name)


def test_a_study_keeps_its_choice_when_the_data_change_afterwards():
    """Nothing lazy may read other numbers than the fit did."""
    problem = make(3, 25, 5)
    X, y = problem.X.copy(), problem.y.copy()
    study = es.study(X, y)
    before = problem.study()
    assert_allclose(study.coef(0.1), before.coef(0.1))
    assert study.objective
    assert study.loss == "squared"


def test_shrinkage_of_the_penalised_directions_and_the_coefficients_agree():
    """The lecture in one line: rotate, scale, rotate back (M7)."""
    problem = make(3, 25, 5)
    path = problem.study().path
    Q, unpenalised = path.spectrum.basis, path.weights(0.0)
    for alpha in (0.01, 1.0, 30.0):
        assert_allclose(Q @ (path.shrinkage(alpha) * (Q.T @ unpenalised)), path.weights(alpha), rtol=1e-9)


def test_accepted_for_later_losses():
    problem = make(3, 25, 5)
    one, other = problem.study(), problem.study(tol=1e-3, random_state=7)
    assert_array_equal(one.coef(), other.coef())


def test_peers_numbers_are_there_for_one_target():
    study = make(3, 25, 5).study(alpha=0.2)
    assert study.equivalents["sklearn.Ridge"] == pytest.approx(25 * 0.2)


# --- real data ----------------------------------------------------------------------------------------


def test_diabetes_is_shrunk_where_it_helps():
    """The embedded set of the demo: 10 columns, 442 rows. Every criterion finds a strength inside."""
    X, y = load_diabetes(return_X_y=True)
    for criterion in ("loo", "gcv", "evidence"):
        study = es.study(X, y, criterion=criterion)
        assert study.choice.boundary == "none"
        assert 5 < study.effective_parameters < 11
        assert study.risk["loo"]() <= study.risk["loo"](0.0)


# --- bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha": 0.1, "per_target": [0.1, 0.2, 0.3]}, "give alpha or per_target, not both"),
        ({"per_target": [0.1, 0.2]}, r"per_target has shape \(2,\);.*\(3,\)"),
        ({"per_target": 0.1}, r"per_target has shape \(\)"),
        ({"per_target": [0.1, -1.0, 0.2]}, "-1"),
        ({"per_target": [0.1, np.nan, 0.2]}, "nan"),
        ({"alpha": -1.0}, "alpha"),
        ({"alpha": [[1.0]]}, "alpha"),
    ],
)
def test_bad_strengths(targets, arguments, message):
    for method in (targets.coef, targets.intercept):
        with pytest.raises(es.InputError, match=message):
            method(**arguments)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((2, 4)), "X has 4 columns; this study was made of 5"),
        (np.zeros(5), "X must be 2-d"),
        (np.full((2, 5), np.nan), r"X\[0, 0\] is NaN"),
        ([["a"] * 5], "not a number"),
    ],
)
def test_bad_rows_to_predict(study, X, message):
    with pytest.raises(es.InputError, match=message):
        study.predict(X)


def test_predictions_are_made_at_one_strength(study):
    with pytest.raises(es.InputError, match="alpha"):
        study.predict(np.zeros((2, 5)), alpha=[0.1, 0.2, 0.3])
    with pytest.raises(es.InputError, match="alpha"):
        study.predict(np.zeros((2, 5)), alpha=-0.1)


def test_directions_need_one_strength_and_an_existing_target(targets):
    with pytest.raises(es.InputError, match="alpha"):
        targets.directions([0.1, 0.2])
    with pytest.raises(es.InputError, match="target"):
        targets.directions(0.1, target=3)
