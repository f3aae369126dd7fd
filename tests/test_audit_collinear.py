"""Columns that follow from others, exactly or nearly: which they are, and along which direction."""

from __future__ import annotations

import re

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose

import eigenshrink as es
from audit_studies import NAMES, finding, set_column, study_of
from eigenshrink.audit.columns import combined_weights, near_sets
from eigenshrink.data.duplicates import dependent_columns

COLLINEAR, EQUAL = "collinear columns", "duplicate columns"

# --- collinear ----------------------------------------------------------------------------------------


def test_a_combination_of_others_is_named_with_them():
    study = study_of(change=set_column(3, lambda X: X[:, 0] - 2 * X[:, 1] + 5))
    found = finding(study, COLLINEAR)
    assert (found.verdict, found.value) == ("warn", 1)
    names = {name for name in NAMES if f"'{name}'" in found.meaning}
    assert names == {"age", "height", "bmi"}
    assert "'bmi' follows from" in found.meaning or "'height' follows from" in found.meaning


def test_an_exact_combination_is_written_out():
    X = np.random.default_rng(0).normal(size=(30, 3))
    study = es.study(np.c_[X, 3 * X[:, 0] - 0.25 * X[:, 1] + 7], X[:, 2], feature_names=["a", "b", "c", "d"])
    meaning = finding(study, COLLINEAR).meaning
    wanted = {
        "'d' follows from 3 'a' − 0.25 'b' and a constant.",
        "'a' follows from 0.33 'd' + 0.083 'b' and a constant.",
        "'b' follows from 12 'a' − 4 'd' and a constant.",
    }
    assert meaning in wanted
    without = es.study(np.c_[X, 3 * X[:, 0] - 0.25 * X[:, 1]], X[:, 2], fit_intercept=False)
    assert "constant" not in finding(without, COLLINEAR).meaning


LEVELS = np.eye(3)[np.arange(20) % 3]


@pytest.mark.parametrize("wrap", [np.asarray, scipy.sparse.csr_array])
def test_indicators_of_every_level_are_how_a_category_is_written(wrap):
    study = study_of(change=set_column([1, 2, 3], lambda X: LEVELS), wrap=wrap)
    assert len(study.spectrum.eigenvalues) == 4
    assert finding(study, COLLINEAR).verdict == "pass"


@pytest.mark.parametrize(
    "columns",
    [
        np.c_[LEVELS[:, :2], LEVELS[:, 0] + LEVELS[:, 1]],  # a group, and the members of it
        np.c_[LEVELS[:, :2], 3 * LEVELS[:, 2]],
        np.c_[LEVELS[:, :2] - 0.5, LEVELS[:, 2]],
    ],
)
def test_other_combinations_of_indicators_are_named(columns):
    found = finding(study_of(change=set_column([1, 2, 3], lambda X: columns)), COLLINEAR)
    assert found.value == 1
    assert {name for name in NAMES if f"'{name}'" in found.meaning} == {"height", "dose", "bmi"}


def test_collinear_free_columns_are_named():
    study = study_of(change=set_column(3, lambda X: X[:, 0] + X[:, 1]), penalty_factor=[0, 0, 1, 0, 1])
    assert "follows from" in finding(study, COLLINEAR).meaning


def test_a_penalised_column_that_follows_from_free_ones_is_named():
    study = study_of(change=set_column(3, lambda X: X[:, 0] + X[:, 1]), penalty_factor=[0, 0, 1, 1, 1])
    assert "follows from" in finding(study, COLLINEAR).meaning


def test_equal_columns_are_not_called_collinear_as_well():
    assert finding(study_of(change=set_column(1, lambda X: X[:, 0])), COLLINEAR).verdict == "pass"


def test_multiples_are_collinear_but_not_equal():
    study = study_of(change=set_column(1, lambda X: 3 * X[:, 0] + 1))
    assert finding(study, EQUAL).verdict == "pass"
    assert finding(study, COLLINEAR).value == 1


@pytest.mark.parametrize("rows", [4, 5])
def test_centring_costs_a_row(rows):
    """Five centred rows tell four columns apart at most, so that nothing is learnt of five columns."""
    found = finding(study_of((rows, 5)), COLLINEAR)
    assert (found.verdict, found.value) == ("pass", 0)
    assert "more columns than rows" in found.meaning


def test_dependent_columns_by_hand():
    A = np.random.default_rng(0).normal(size=(30, 3))
    X = np.c_[A, A[:, 0] + A[:, 1], 1e6 * A[:, 2]]
    Z = X - X.mean(axis=0)
    found = dependent_columns(Z.T @ Z, np.arange(5))
    assert {frozenset((j, *makers)) for j, makers, _ in found} == {frozenset((0, 1, 3)), frozenset((2, 4))}
    for j, makers, shares in found:
        assert_allclose(Z[:, j], Z[:, makers] @ shares, rtol=1e-9)
    assert dependent_columns(Z.T @ Z, np.array([0, 1, 2])) == []
    assert [j for j, *_ in dependent_columns(Z.T @ Z, np.array([2, 4]))] in ([2], [4])


# --- nearly collinear ---------------------------------------------------------------------------------


def twins(seed=0, n=100, apart=0.02, others=3):
    """Columns 0 and 1 are the same but for ``apart`` sd; the others have nothing to do with them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2 + others))
    X[:, 1] = X[:, 0] + apart * rng.normal(size=n)
    return X, X[:, 0] + X[:, 2] + rng.normal(size=n)


def test_a_near_pair_is_named_with_its_direction():
    X, y = twins()
    X[:, 1] *= 30  # units do not matter
    found = finding(es.study(X, y, feature_names=["height", "reach", *"abc"]), COLLINEAR)
    assert (found.verdict, found.value) == ("warn", 1)
    direction = re.search(r"0\.71 '(\w+)' − 0\.71 '(\w+)' at \S+ ± \S+, not determined", found.meaning)
    assert direction is not None
    assert set(direction.groups()) == {"height", "reach"}
    assert re.search(r"0\.71 '\w+' \+ 0\.71 '\w+' at 0\.\d+ ± 0\.0\d+\.", found.meaning)
    assert found.advice


@pytest.mark.parametrize(
    "more", [{}, {"sample_weight": np.linspace(0.5, 3, 100)}, {"penalty_factor": [1, 0, 2, 0, 1]}]
)
@pytest.mark.parametrize("intercept", [False, True])
def test_what_is_said_of_a_direction_is_least_squares(more, intercept):
    X, y = twins()
    X = X + 0.3
    s = more.get("sample_weight", np.ones(100))
    study = es.study(X, y, fit_intercept=intercept, alpha=0.1, **more)
    design = np.c_[X, np.ones(100)] if intercept else X
    scatter = np.linalg.inv(design.T * s @ design)
    w = scatter @ (design.T * s @ y)
    noise = s @ (y - design @ w) ** 2 / (100 - design.shape[1])
    c = np.array([1.5, -0.5])
    estimate, error = combined_weights(study.path, np.array([0, 1]), c)
    assert_allclose(estimate, c @ w[:2], rtol=1e-7)
    assert_allclose(error, np.sqrt(noise * (c @ scatter[:2, :2] @ c)), rtol=1e-7)


def test_what_the_rows_do_not_see_has_no_end():
    X, y = twins(apart=0.0)
    study = es.study(X, y)
    assert combined_weights(study.path, np.array([0, 1]), np.array([1.0, -1.0]))[1] == np.inf
    assert np.isfinite(combined_weights(study.path, np.array([0, 1]), np.array([1.0, 1.0]))[1])


def test_a_direction_that_the_data_determine_is_no_doubt():
    X, y = twins()
    strong = y + 80 * (X[:, 0] - X[:, 1])
    found = finding(es.study(X, strong), COLLINEAR)
    assert (found.verdict, found.value) == ("pass", 0)
    assert "determined all the same" in found.meaning
    both = finding(es.study(X, np.c_[strong, y]), COLLINEAR)
    assert both.verdict == "warn"
    assert "of target 'y1'" in both.meaning


def test_sets_without_common_columns_come_apart_and_others_join():
    X, y = twins()
    rng = np.random.default_rng(5)
    again = X[:, [0, 2]] + 0.02 * rng.normal(size=(100, 2))
    two = finding(es.study(np.c_[X, again[:, 1]], y), COLLINEAR)
    assert two.value == 2
    three = list(near_sets(np.cov(np.c_[X, again[:, 0]].T), np.arange(6), 99))
    assert [set(found.columns.tolist()) for found in three] == [{0, 1, 5}]


def test_a_set_of_many_columns_and_its_direction():
    """Shares of a whole, rounded: they sum to nearly one, and no two of them are alike."""
    rng = np.random.default_rng(0)
    X = rng.dirichlet(np.full(8, 3.0), 300).round(3)
    (found,) = near_sets(np.cov(np.c_[X, rng.normal(size=300)].T), np.arange(9), 299)
    assert set(found.columns.tolist()) == set(range(8))
    sd = X.std(axis=0)[found.columns]
    assert_allclose(found.loadings, sd / np.linalg.norm(sd), rtol=0.01)
    values = np.linalg.eigvalsh(np.corrcoef(X.T))
    assert_allclose(found.index, np.sqrt(values[-1] / values[0]), rtol=1e-6)


@pytest.mark.parametrize(("n", "p"), [(40, 30), (101, 99), (110, 100), (31, 30)])
def test_few_rows_do_not_make_columns_collinear(n, p):
    """The condition index of independent columns goes far above 30 as p nears n: not their doing."""
    for seed in range(5):
        X = np.random.default_rng(seed).normal(size=(n, p))
        found = finding(es.study(X, X[:, 0], criterion="evidence"), COLLINEAR)
        assert (found.verdict, found.value) == ("pass", 0)


def test_a_pair_is_found_among_nearly_as_many_columns_as_rows():
    X, y = twins(n=60, apart=1e-3, others=50)
    found = finding(es.study(X, y), COLLINEAR)
    assert found.value == 1
    assert "'x0', 'x1' nearly" in found.meaning or "'x1', 'x0' nearly" in found.meaning


def test_exact_and_near_are_one_finding():
    X, y = twins()
    found = finding(es.study(np.c_[X, X[:, 2] - X[:, 3]], y), COLLINEAR)
    assert found.value == 2
    assert "follows from" in found.meaning
    assert "nearly follow from" in found.meaning
