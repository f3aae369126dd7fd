"""Columns that are constant, equal or said by others: what becomes of them, and what is said."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
from eigenshrink.audit import CHECKS, Audit, Finding
from eigenshrink.data.duplicates import dependent_columns, duplicate_columns
from oracles import make

CONSTANT, EQUAL, COLLINEAR = "constant columns", "duplicate columns", "collinear columns"
NAMES = ["age", "height", "dose", "bmi", "site"]
SHAPES = [(20, 5), (4, 5)]


def study_of(shape=(20, 5), change=lambda X: None, wrap=np.asarray, **more) -> es.Study:
    problem = make(1, *shape)
    X = problem.X.copy()
    change(X)
    return es.study(wrap(X), problem.y, feature_names=NAMES, criterion="evidence", **more)


def finding(study: es.Study, check: str) -> Finding:
    (found,) = [f for f in study.audit if f.check == check]
    return found


def set_column(j, value):
    def change(X):
        X[:, j] = value(X) if callable(value) else value

    return change


# --- constant -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0.0, 1.0, 3.7, -1e9 / 7, 1e-30])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("wrap", [np.asarray, scipy.sparse.csr_array, np.float32])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_constant_column_has_weight_zero_and_a_finding(value, shape, wrap, weighted):
    s = np.random.default_rng(0).uniform(0.5, 2, shape[0]) if weighted else None
    study = study_of(shape, set_column(2, value), wrap, sample_weight=s)
    for alpha in (0.0, 1e-3, 1.0, np.inf):
        assert study.coef(alpha)[2] == 0.0
    found = finding(study, CONSTANT)
    assert (found.verdict, found.value, found.threshold) == ("warn", 1, 0)
    assert "'dose'" in found.meaning
    assert found.advice
    assert study.audit.ok


@pytest.mark.parametrize("wrap", [np.asarray, scipy.sparse.csr_array])
def test_a_column_that_moves_in_its_last_digits_is_constant(wrap):
    rng = np.random.default_rng(0)
    study = study_of(change=set_column(2, 1e6 * (1 + 1e-15 * rng.choice([-1, 1], 20))), wrap=wrap)
    assert study.coef(0.0)[2] == 0.0
    assert finding(study, CONSTANT).verdict == "warn"


def test_a_column_that_moves_a_little_is_not_constant():
    rng = np.random.default_rng(0)
    study = study_of(change=set_column(2, 1e6 + 1e-3 * rng.normal(size=20)))
    assert study.coef(0.0)[2] != 0.0
    assert finding(study, CONSTANT).verdict == "pass"


def test_a_constant_column_may_be_free():
    study = study_of(change=set_column(2, 3.0), penalty_factor=[1, 1, 0, 1, 0])
    for alpha in (0.0, 1.0, np.inf):
        assert study.coef(alpha)[2] == 0.0
    assert study.spectrum.free.rank == 2


@pytest.mark.parametrize("standardize", [False, True])
def test_without_intercept_a_constant_column_is_a_column_like_others(standardize):
    study = study_of(change=set_column(2, 3.0), fit_intercept=False, standardize=standardize)
    assert study.coef(0.1)[2] != 0.0
    assert finding(study, CONSTANT).verdict == "pass"
    empty = study_of(change=set_column(2, 0.0), fit_intercept=False, standardize=standardize)
    assert empty.coef(0.1)[2] == 0.0
    assert finding(empty, CONSTANT).verdict == "warn"


def test_standardising_survives_a_constant_column():
    study, without = study_of(change=set_column(2, 3.0), standardize=True), make(1, 20, 5)
    rest = es.study(np.delete(without.X, 2, axis=1), without.y, standardize=True)
    assert_allclose(np.delete(study.coef(0.1), 2), rest.coef(0.1), rtol=1e-9)


def test_nothing_but_constant_columns():
    study = es.study(np.full((6, 2), 3.0), np.arange(6.0))
    assert_array_equal(study.coef(), 0.0)
    assert study.intercept() == 2.5
    assert study.choice.boundary == "flat"
    assert study.effective_parameters == 1.0
    assert finding(study, CONSTANT).value == 2
    assert np.all(np.isfinite(study.alphas))


# --- equal --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("wrap", [np.asarray, scipy.sparse.csr_array, np.float32])
def test_equal_columns_share_the_weight_and_have_a_finding(shape, wrap):
    study = study_of(shape, set_column([1, 4], lambda X: X[:, [0]]), wrap)
    for alpha in (0.0, 1e-3, 1.0, 100.0):
        assert_allclose(study.coef(alpha)[[1, 4]], study.coef(alpha)[0], rtol=1e-6)
        assert study.coef(alpha)[0] != 0
    found = finding(study, EQUAL)
    assert (found.verdict, found.value) == ("warn", 2)
    assert "'age', 'height', 'site'" in found.meaning
    assert "share" in found.meaning
    assert found.advice


def test_equal_columns_of_different_factors_share_by_them():
    """``w_j ∝ 1/d_j``: what is cheaper carries more."""
    study = study_of(change=set_column(1, lambda X: X[:, 0]), penalty_factor=[1, 4, 1, 1, 1])
    for alpha in (0.0, 0.1, 10.0):
        assert_allclose(study.coef(alpha)[0], 4 * study.coef(alpha)[1], rtol=1e-9)


def test_equal_free_columns_share_the_weight_too():
    study = study_of(change=set_column(1, lambda X: X[:, 0]), penalty_factor=[0, 0, 1, 1, 1])
    for alpha in (0.0, 0.1, np.inf):
        assert_allclose(study.coef(alpha)[0], study.coef(alpha)[1], rtol=1e-9)


def test_many_groups_are_summed_up():
    X = np.repeat(np.random.default_rng(0).normal(size=(30, 6)), 2, axis=1)
    found = finding(es.study(X, X[:, 0] + np.arange(30)), EQUAL)
    assert found.value == 6
    assert "'x0', 'x1'; 'x2', 'x3'; 'x4', 'x5'; and 3 more groups" in found.meaning


def test_constant_columns_are_not_called_equal():
    assert finding(study_of(change=set_column([1, 2], 3.0)), EQUAL).verdict == "pass"


def test_zeros_of_either_sign_and_stored_zeros_are_equal():
    X = np.array([[0.0, -0.0, 1.0], [1.0, 1.0, 0.0], [2.0, 2.0, 0.0]])
    assert duplicate_columns(X) == [(0, 1)]
    stored = scipy.sparse.csr_array((np.array([0.0, 1, 1]), ([0, 1, 1], [0, 0, 1])), shape=(2, 2))
    assert duplicate_columns(stored) == [(0, 1)]
    minus = scipy.sparse.csr_array((np.array([1.0, 1, -0.0]), ([1, 1, 0], [0, 1, 1])), shape=(2, 2))
    assert duplicate_columns(minus) == [(0, 1)]


def test_duplicates_by_hand():
    X = np.random.default_rng(0).normal(size=(9, 4))[:, [0, 1, 0, 2, 1, 0, 3]]
    for table in (X, np.asfortranarray(X), X.astype(np.float32), scipy.sparse.csr_array(X)):
        assert sorted(duplicate_columns(table)) == [(0, 2, 5), (1, 4)]
    assert duplicate_columns(np.eye(3)) == []


# --- collinear ----------------------------------------------------------------------------------------


def test_a_combination_of_others_is_named_with_them():
    study = study_of(change=set_column(3, lambda X: X[:, 0] - 2 * X[:, 1] + 5))
    found = finding(study, COLLINEAR)
    assert (found.verdict, found.value) == ("warn", 1)
    names = {name for name in NAMES if f"'{name}'" in found.meaning}
    assert names == {"age", "height", "bmi"}
    assert "follows from" in found.meaning


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


def test_nearly_collinear_is_not_collinear():
    rng = np.random.default_rng(0)
    study = study_of(change=set_column(3, lambda X: X[:, 0] - X[:, 1] + 1e-4 * rng.normal(size=20)))
    assert finding(study, COLLINEAR).verdict == "pass"


def test_more_columns_than_rows_always_follow_from_each_other():
    found = finding(study_of((4, 5)), COLLINEAR)
    assert found.verdict == "pass"
    assert "more columns than rows" in found.meaning


def test_as_many_rows_as_columns():
    """Centring costs a row, so that the columns depend on each other, all of them: said in one finding."""
    found = finding(study_of((5, 5)), COLLINEAR)
    assert found.value <= 1


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


# --- the audit ----------------------------------------------------------------------------------------


def test_good_columns_pass_every_check():
    audit = study_of().audit
    assert [f.check for f in audit] == [CONSTANT, EQUAL, COLLINEAR]
    assert len(audit) == len(CHECKS)
    assert {f.verdict for f in audit} == {"pass"}
    assert audit.ok
    assert all(f.meaning and not f.advice for f in audit)


def test_an_audit_is_a_sequence_and_ok_means_that_nothing_failed():
    findings = [Finding("a", verdict, 0, 0, "", "") for verdict in ("pass", "warn", "fail")]
    assert Audit(tuple(findings[:2])).ok
    assert not Audit(tuple(findings)).ok
    assert Audit(tuple(findings))[1:] == tuple(findings[1:])
    assert list(Audit(tuple(findings))) == findings
    assert findings[0] in Audit(tuple(findings))
