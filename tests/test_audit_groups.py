"""Rows that belong together: by their order, by an id among the columns, by groups that were given."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import eigenshrink as es
from eigenshrink.audit import Examined
from eigenshrink.audit.groups import given_groups, likely_groups, time_order
from eigenshrink.risk import criterion_name


def examined(X, y, **asked) -> Examined:
    study = es.study(X, y, **asked)
    return Examined(study.path, study.risk, study.choice, study.feature_names, study.target_names)


def rows(seed: int, n: int = 300, p: int = 4) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, X[:, 0] + rng.normal(size=n), rng


# --- order --------------------------------------------------------------------------------------------


def drifting(n: int, rho: float, rng: np.random.Generator) -> np.ndarray:
    noise = rng.normal(size=n)
    for i in range(1, n):
        noise[i] += rho * noise[i - 1]
    return noise


@pytest.mark.parametrize("storage", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("rho", [0.4, 0.8])
def test_errors_that_follow_the_order_of_rows(storage, rho):
    X, y, rng = rows(0)
    finding = time_order(examined(storage(X), y + drifting(300, rho, rng)))
    assert finding.verdict == "warn"
    assert finding.value > finding.threshold
    assert f"correlate with {finding.value:.2f}" in finding.meaning
    assert "groups=" in finding.advice


def test_shuffled_rows_have_no_order():
    X, y, rng = rows(0)
    y = y + drifting(300, 0.8, rng)
    order = rng.permutation(300)
    finding = time_order(examined(X[order], y[order]))
    assert (finding.verdict, finding.advice) == ("pass", "")
    assert finding.value <= finding.threshold


def test_the_correlation_is_that_of_consecutive_errors():
    X, y, rng = rows(0)
    asked = examined(X, y + drifting(300, 0.8, rng), alpha=0.0)
    error = asked.rows.left_out[:, 0]
    assert time_order(asked).value == pytest.approx(np.corrcoef(error[1:], error[:-1])[0, 1], abs=0.02)


def test_errors_that_alternate_do_not_flatter():
    X, y, rng = rows(0)
    assert time_order(examined(X, y + 3 * drifting(300, -0.8, rng))).verdict == "pass"


def test_stretches_that_leave_together_do_not_count():
    X, y, rng = rows(0)
    block = np.arange(300) // 10
    y = y + 3 * rng.normal(size=30)[block]
    assert time_order(examined(X, y)).verdict == "warn"
    assert time_order(examined(X, y, groups=block)).verdict == "pass"
    assert time_order(examined(X, y, groups=block, criterion="kfold")).verdict == "pass"
    assert time_order(examined(X, y, groups=block, criterion="loo")).verdict == "warn"
    halves = np.arange(300) // 150
    assert "left out together" in time_order(examined(X, y, groups=halves)).meaning


def test_the_target_that_drifts_is_named():
    X, y, rng = rows(0)
    both = np.column_stack([y, y + 3 * drifting(300, 0.8, rng), rng.normal(size=300)])
    assert "Leave-out errors of target 'y1'" in time_order(examined(X, both)).meaning


# --- ids among the columns ----------------------------------------------------------------------------


def with_ids(seed: int, effect: float = 1.0, groups: int = 40):
    X, y, rng = rows(seed)
    ids = rng.integers(0, groups, 300)
    return np.column_stack([X, rng.permutation(groups)[ids]]), y + effect * rng.normal(size=groups)[ids], ids


@pytest.mark.parametrize("storage", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("groups", [10, 40, 120])
def test_a_column_of_ids_is_named(storage, groups):
    X, y, ids = with_ids(0, 2.0, groups)
    finding = likely_groups(examined(storage(X), y, feature_names=[*"abcd", "patient"]))
    assert finding.verdict == "warn"
    assert finding.value == pytest.approx(0.8, abs=0.15)  # 4/(4 + 1)
    assert f"'patient' ({len(set(ids.tolist()))} values, {finding.value:.2f})" in finding.meaning
    assert "groups=" in finding.advice


def test_what_is_measured_once_per_group_tells_groups_too():
    X, y, ids = with_ids(0, 2.0)
    X[:, 4] = np.random.default_rng(7).normal(size=40)[ids]
    assert likely_groups(examined(X, y)).verdict == "warn"


def test_ids_without_effect_pass():
    for seed in range(20):
        X, y, _ = with_ids(seed, effect=0.0)
        finding = likely_groups(examined(X, y))
        assert (finding.verdict, finding.advice) == ("pass", "")
        assert finding.value <= finding.threshold


def test_a_straight_line_that_the_penalty_flattens_is_no_group():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = rng.integers(0, 8, (300, 3)).astype(float)
        y = X @ [1.0, 2.0, 3.0] + rng.normal(size=300)
        assert likely_groups(examined(X, y, alpha=100.0)).verdict == "pass"


@pytest.mark.parametrize("values", [2, 4, 200])
def test_few_values_and_values_of_their_own_are_not_looked_at(values):
    X, y, rng = rows(0)
    ids = np.arange(300) % values
    asked = examined(np.column_stack([X, ids]), y + 3 * rng.normal(size=values)[ids])
    assert "No column" in likely_groups(asked).meaning


def test_ids_whose_rows_leave_together_are_not_looked_at():
    X, y, ids = with_ids(0, 2.0)
    assert likely_groups(examined(X, y, groups=ids)).verdict == "pass"
    assert likely_groups(examined(X, y, groups=ids, criterion="kfold")).verdict == "pass"
    assert likely_groups(examined(X, y, groups=ids, criterion="loo")).verdict == "warn"
    assert likely_groups(examined(X, y, groups=np.arange(300) // 2)).verdict == "warn"


def test_the_worst_columns_come_first():
    X, y, rng = rows(0)
    ids = rng.integers(0, 30, (300, 3))
    for effect, column in zip((1.5, 3.0, 0.0), ids.T, strict=True):
        y = y + effect * rng.normal(size=30)[column]
    finding = likely_groups(examined(np.column_stack([X, ids]), y))
    assert finding.meaning.index("'x5'") < finding.meaning.index("'x4'")
    assert f"(30 values, {finding.value:.2f}); 'x4'" in finding.meaning
    assert "'x6'" not in finding.meaning


def test_the_target_that_groups_is_named():
    X, y, _ = with_ids(0, 2.0)
    both = np.column_stack([np.random.default_rng(8).normal(size=300), y])
    assert "of target 'y1'" in likely_groups(examined(X, both)).meaning


# --- groups that were given ---------------------------------------------------------------------------


@pytest.mark.parametrize("criterion", ["loo", "gcv", "evidence"])
def test_groups_that_matter_and_do_not_leave_together_fail(criterion):
    X, y, ids = with_ids(0)
    finding = given_groups(examined(X[:, :4], y, groups=ids, criterion=criterion))
    assert finding.verdict == "fail"
    assert finding.value == pytest.approx(0.5, abs=0.15)
    assert finding.value > finding.threshold
    assert f"{criterion_name(criterion)} does not leave them out together" in finding.meaning


def test_groups_that_do_not_matter_and_do_not_leave_together_warn():
    X, y, ids = with_ids(0, effect=0.0)
    finding = given_groups(examined(X[:, :4], y, groups=ids, criterion="loo"))
    assert finding.verdict == "warn"
    assert finding.value <= finding.threshold
    assert "hardly alike" in finding.meaning


@pytest.mark.parametrize("asked", [{}, {"criterion": "kfold"}, {"alpha": 0.1}, {"validation": 0.3}])
@pytest.mark.parametrize("effect", [0.0, 2.0])
def test_groups_that_leave_together_pass(asked, effect):
    X, y, ids = with_ids(0, effect)
    finding = given_groups(examined(X[:, :4], y, groups=ids, **asked))
    assert (finding.verdict, finding.advice) == ("pass", "")
    assert ("Rows of a group are alike" in finding.meaning) == (effect > 0)


def test_where_there_are_no_groups():
    X, y, _ = rows(0)
    assert given_groups(examined(X, y)).meaning == "No groups were given."
    twice = examined(np.vstack([X, X]), np.r_[y, y])
    assert twice.splits.source == "found"
    assert given_groups(twice).meaning == "No groups were given."
    assert "of its own" in given_groups(examined(X, y, groups=np.arange(300), criterion="loo")).meaning


def test_the_correlation_within_groups_is_that_of_the_analysis_of_variance():
    """Balanced groups: (MSB − MSW)/(MSB + (b − 1) MSW), on errors by rank."""
    from eigenshrink.audit.residuals import LeaveOut

    X, y, rng = rows(0)
    ids = np.arange(300) // 6
    asked = examined(X, y + rng.normal(size=50)[ids], groups=ids)
    scores = LeaveOut.of(asked).scores[:, 0].reshape(50, 6)
    between = 6 * np.var(scores.mean(axis=1), ddof=1)
    within = np.mean(np.var(scores, axis=1, ddof=1))
    assert given_groups(asked).value == pytest.approx((between - within) / (between + 5 * within))
