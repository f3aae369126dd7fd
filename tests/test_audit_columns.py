"""Columns that are constant, equal or said by others: what becomes of them, and what is said."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
from audit_studies import finding, set_column, study_of
from eigenshrink.audit import CHECKS, Audit, Finding
from eigenshrink.audit.columns import indicators
from eigenshrink.data.duplicates import duplicate_columns
from oracles import make

CONSTANT, EQUAL, COLLINEAR = "constant columns", "duplicate columns", "collinear columns"
SCALE = "scale of columns"
SHAPES = [(20, 5), (4, 5)]

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


# --- scale --------------------------------------------------------------------------------------------


def scaled(factor, **more) -> Finding:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3)) / [1.0, 2.0, factor] + 5
    return finding(es.study(X, rng.normal(size=60), feature_names=["a", "b", "c"], **more), SCALE)


@pytest.mark.parametrize(("factor", "verdict"), [(5, "pass"), (20, "warn"), (1e6, "warn"), (1e-3, "warn")])
def test_unlike_sds_are_said(factor, verdict):
    found = scaled(factor)
    assert found.verdict == verdict
    sd = (np.random.default_rng(0).normal(size=(60, 3)) / [1.0, 2.0, factor]).std(axis=0)
    assert_allclose(found.value, sd.max() / sd.min(), rtol=1e-9)
    assert found.value > found.threshold or verdict == "pass"
    if verdict == "warn":
        assert "'a' has sd" in found.meaning or "'c' has sd" in found.meaning
        assert "--standardize" in found.advice


def test_standardising_and_given_factors_are_a_decision():
    found = scaled(1e6, standardize=True)
    assert found.verdict == "pass"
    assert_allclose(found.value, 1.0, rtol=1e-6)
    assert scaled(1e6, penalty_factor=[1, 1, 2]).verdict == "pass"
    assert scaled(1e6, penalty_factor=[3, 3, 3]).verdict == "warn"
    assert scaled(1e6, penalty_factor=[1, 1, 0]).verdict == "pass"


@pytest.mark.parametrize("wrap", [np.asarray, scipy.sparse.csr_array])
def test_a_rare_indicator_has_no_unit(wrap):
    rng = np.random.default_rng(0)
    rare = (np.arange(500) < 2).astype(float)
    X, y = np.c_[rng.normal(size=(500, 2)), rare, 1 - rare], rng.normal(size=500)
    found = finding(es.study(wrap(X), y), SCALE)
    assert X.std(axis=0).max() > 10 * X.std(axis=0).min()
    assert found.verdict == "pass"
    assert found.value < 3
    assert finding(es.study(wrap(X[:, 2:]), y, criterion="evidence"), SCALE).value < 1.01
    big = finding(es.study(wrap(X * [100, 100, 1, 1]), y), SCALE)
    assert "an indicator" in big.meaning
    assert_allclose(big.value, 200 * X[:, :2].std(axis=0).max(), rtol=1e-9)


def test_indicators_by_hand():
    X = np.array([[0, 1, 0.5, 0, 2], [1, 1, 0, -0.0, 0]] * 3, dtype=float)
    wanted = [True, True, False, True, False]
    assert indicators(X).tolist() == wanted
    assert indicators(scipy.sparse.csr_array(X)).tolist() == wanted


# --- the audit ----------------------------------------------------------------------------------------


def test_good_columns_pass_every_check():
    audit = study_of().audit
    assert [f.check for f in audit][:3] == [CONSTANT, EQUAL, COLLINEAR]
    assert len(audit) == len({f.check for f in audit}) == 20
    assert len(CHECKS) > 20  # some are of other losses
    for check in (CONSTANT, EQUAL, COLLINEAR, SCALE):
        found = finding(study_of(), check)
        assert found.verdict == "pass"
        assert found.meaning
        assert not found.advice


def test_an_audit_is_a_sequence_and_ok_means_that_nothing_failed():
    findings = [Finding("a", verdict, 0, 0, "", "") for verdict in ("pass", "warn", "fail")]
    assert Audit(tuple(findings[:2])).ok
    assert not Audit(tuple(findings)).ok
    assert Audit(tuple(findings))[1:] == tuple(findings[1:])
    assert list(Audit(tuple(findings))) == findings
    assert findings[0] in Audit(tuple(findings))
