"""Rows that are copies, exactly or nearly, and rows that pull: what is found, and how bad it is."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose

import eigenshrink as es
from eigenshrink.audit import Examined
from eigenshrink.audit.rows import copied_rows, left_together, leverage, near_copies
from eigenshrink.risk import criterion_name
from eigenshrink.risk.leave_out import leave_out
from oracles import CASES, make

SINGLE = ("loo", "gcv", "evidence", "kfold")


def examined(X, y, **asked) -> Examined:
    study = es.study(X, y, **asked)
    return Examined(study.path, study.risk, study.choice, study.feature_names, study.target_names)


def rows(seed: int, n: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    """Many weak columns: the noise is fitted as soon as nothing forbids it."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) / np.sqrt(np.arange(1, p + 1))
    return X, X @ rng.normal(size=p) + 1.5 * rng.normal(size=n)


def shaken(X: np.ndarray, by: float, seed: int = 9) -> np.ndarray:
    return X + by * X.std(axis=0) * np.random.default_rng(seed).normal(size=X.shape)


# --- exact copies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("storage", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("criterion", SINGLE[:3])
def test_copies_fail_where_single_rows_are_left_out(storage, criterion):
    X, y = rows(1, 40, 60)
    asked = examined(storage(np.vstack([X, X])), np.r_[y, y], criterion=criterion)
    finding = copied_rows(asked)
    assert (finding.verdict, finding.value, finding.threshold) == ("fail", 40, 0)
    assert "40 of 80 rows" in finding.meaning
    assert f"{criterion_name(criterion)} chose alpha" in finding.meaning
    assert "leave_group_out" in finding.advice


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"criterion": "kfold"},
        {"criterion": "leave_group_out", "groups": np.r_[:40, :40]},
        {"alpha": 0.1},
    ],
)
def test_copies_that_leave_together_do_not_fail(asked):
    X, y = rows(1, 40, 60)
    finding = copied_rows(examined(np.vstack([X, X]), np.r_[y, y], **asked))
    assert (finding.verdict, finding.value) == ("warn", 40)
    assert ("They are left out together" in finding.meaning) == ("alpha" not in asked)


def test_groups_that_part_the_copies_do_not_help():
    X, y = rows(1, 40, 60)
    finding = copied_rows(examined(np.vstack([X, X]), np.r_[y, y], groups=np.arange(80) // 2))
    assert finding.verdict == "fail"
    assert "combined evidence chose alpha" in finding.meaning


def test_a_few_copies_hide_little():
    X, y = rows(1, 200, 4)
    finding = copied_rows(examined(np.vstack([X, X[:2]]), np.r_[y, y[:2]]))
    assert (finding.verdict, finding.value) == ("warn", 2)


def test_what_copies_hide_is_measured():
    """Share of the error of refits without a row and its copy that leave-one-out does not see."""
    X, y = rows(1, 20, 15)
    twice, targets, alpha = np.vstack([X, X]), np.r_[y, y], 0.05
    apart, alone = np.zeros(40), np.zeros(40)
    for row in range(40):
        for error, kept in ((alone, np.arange(40) != row), (apart, np.arange(40) % 20 != row % 20)):
            fit = es.study(twice[kept], targets[kept], alpha=alpha * 40 / kept.sum())
            error[row] = targets[row] - fit.predict(twice[[row]])[0]
    hidden = 1 - np.sum(alone**2) / np.sum(apart**2)
    assert hidden > 0.3
    finding = copied_rows(examined(twice, targets, alpha=alpha))
    assert f"misses {hidden:.0%} of the error" in finding.meaning


def test_a_count_of_two_is_the_row_twice():
    X, y = rows(1, 30, 40)
    counts = np.random.default_rng(2).integers(1, 3, 30)
    again = np.repeat(np.arange(30), counts)
    ours = copied_rows(examined(X, y, sample_weight=counts, weight_kind="frequency", criterion="loo"))
    theirs = copied_rows(examined(X[again], y[again], criterion="loo"))
    assert ours.verdict == theirs.verdict == "fail"
    assert ours.value == theirs.value == counts.sum() - 30
    assert ours.meaning == theirs.meaning


@pytest.mark.parametrize("check", [copied_rows, near_copies])
def test_rows_that_coincide_by_chance_are_no_copies(check):
    rng = np.random.default_rng(3)
    X, y = rng.integers(0, 3, (400, 2)).astype(float), rng.poisson(3.0, 400).astype(float)
    assert len(np.unique(np.column_stack([X, y]), axis=0)) < 100
    assert check(examined(X, y)).verdict == "pass"


@pytest.mark.parametrize("name", [name for name in CASES if name != "all free"])
def test_the_error_with_rows_left_out_together_is_that_of_the_criterion(name):
    problem = make(5, **CASES[name])
    n = len(problem.targets)
    study = problem.study(alpha=0.3)
    asked = Examined(study.path, study.risk, study.choice, study.feature_names, study.target_names)
    labels = np.random.default_rng(1).integers(0, n // 2, n)
    labels = np.unique(labels, return_inverse=True)[1]
    whole = 2 * leave_out("groups", study.path, labels).per_target(asked.alphas)
    assert np.bincount(labels).max() > 2
    if problem.kind == "precision":
        assert_allclose(left_together(asked, labels), whole, rtol=1e-9)
        return
    labels = np.arange(n) // 2  # a row alone leaves without its copies only if it has none
    whole = 2 * leave_out("groups", study.path, labels).per_target(asked.alphas)
    assert_allclose(left_together(asked, labels), whole, rtol=1e-9)


def test_large_labels_leave_together_too():
    X, y = rows(1, 90, 6)
    asked = examined(X, y, alpha=0.1)
    labels = np.r_[np.zeros(30, int), np.ones(25, int), np.arange(2, 37)]
    whole = 2 * leave_out("groups", asked.path, labels).per_target(asked.alphas)
    assert_allclose(left_together(asked, labels), whole, rtol=1e-9)


# --- near copies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("storage", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("by", [0.0, 1e-6, 1e-3])
def test_copies_up_to_noise_fail(storage, by):
    X, y = rows(1, 40, 60)
    twice = storage(np.vstack([X, shaken(X, by)]))
    asked = examined(twice, np.r_[y, y + 0.003 * np.random.default_rng(4).normal(size=40)])
    assert copied_rows(asked).verdict == "pass"
    finding = near_copies(asked)
    assert finding.verdict == "fail"
    assert 36 <= finding.value <= 40
    assert "of 80 different rows are nearly copies" in finding.meaning


def test_near_copies_that_leave_together_do_not_fail():
    X, y = rows(1, 40, 60)
    asked = examined(np.vstack([X, shaken(X, 1e-4)]), np.r_[y, y], groups=np.r_[:40, :40])
    assert near_copies(asked).verdict == "warn"
    assert near_copies(asked).value == 40


def test_near_copies_of_few_rows_hide_little():
    X, y = rows(1, 200, 4)
    finding = near_copies(examined(np.vstack([X, shaken(X[:3], 1e-3)]), np.r_[y, y[:3]]))
    assert (finding.verdict, finding.value) == ("warn", 3)


def test_exact_copies_are_not_near_copies():
    X, y = rows(1, 40, 10)
    assert near_copies(examined(np.vstack([X, X]), np.r_[y, y])).verdict == "pass"


def test_several_targets_must_all_be_close():
    X, y = rows(1, 100, 5)
    twice, noise = np.vstack([X, shaken(X, 1e-4)]), np.random.default_rng(4).normal(size=200)
    both, one = np.column_stack([np.r_[y, y], np.r_[-y, -y]]), np.column_stack([np.r_[y, y], noise])
    assert near_copies(examined(twice, both)).value == 100
    assert near_copies(examined(twice, one)).verdict == "pass"


def replicates(rng, n):
    return np.repeat(rng.normal(size=(n // 5, 6)), 5, axis=0)


def factors(rng, n):
    return np.eye(5)[rng.integers(0, 5, n)]


def counted(rng, n):
    return rng.integers(0, 4, (n, 2)).astype(float)


def one_column(rng, n):
    return rng.normal(size=(n, 1))


@pytest.mark.parametrize("design", [replicates, factors, counted, one_column])
@pytest.mark.parametrize("digits", [None, 2])
@pytest.mark.parametrize("noise", [1.0, 0.01])
def test_rows_near_by_design_are_no_near_copies(design, digits, noise):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = design(rng, 200)
        y = X.sum(axis=1) + noise * rng.normal(size=200)
        finding = near_copies(examined(X, y if digits is None else np.round(y, digits)))
        assert (finding.verdict, finding.value) == ("pass", 0)


def test_rows_of_a_group_are_alike_but_no_near_copies():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = replicates(rng, 400)
        y = 5 * np.repeat(rng.normal(size=80), 5) + rng.normal(size=400)
        assert near_copies(examined(X, y)).verdict == "pass"


# --- leverage -----------------------------------------------------------------------------------------


def test_a_row_far_from_the_others_is_named():
    X, y = rows(1, 100, 4)
    X[33] *= 40
    finding = leverage(examined(X, y, alpha=0.01))
    Z = np.column_stack([X, np.ones(100)])
    inverse = np.linalg.inv(Z.T @ Z + np.diag([1.0, 1.0, 1.0, 1.0, 0.0]))
    H = Z @ inverse @ Z.T
    assert finding.verdict == "warn"
    assert finding.value == pytest.approx(H[33, 33])
    assert finding.threshold == 0.5
    assert finding.meaning.startswith("Row 33:")
    error = (y - H @ y) / (1 - np.diag(H))
    assert f"makes {error[33] ** 2 / np.sum(error**2):.0%} of the squared error" in finding.meaning


def test_a_row_that_only_itself_determines_is_named():
    X, y = rows(1, 100, 4)
    only = np.zeros((100, 1))
    only[7] = 1.0
    factor = np.r_[np.ones(4), 0.0]
    finding = leverage(examined(np.hstack([X, only]), y, penalty_factor=factor, criterion="evidence"))
    assert finding.value == pytest.approx(1.0)
    assert finding.meaning.startswith("Row 7:")
    assert "100% of the squared error" in finding.meaning


def test_only_the_largest_are_listed():
    X, y = rows(1, 400, 9)
    X[:7] = 0.0
    X[np.arange(7), np.arange(7)] = 1e4
    finding = leverage(examined(X, y, alpha=1e-3))
    assert "and 2 more" in finding.meaning


@pytest.mark.parametrize("shape", [(100, 4), (100, 90), (40, 80)])
@pytest.mark.parametrize("alpha", [0.0, 0.1, np.inf])
def test_rows_like_each_other_pass(shape, alpha):
    finding = leverage(examined(*rows(1, *shape), alpha=alpha))
    assert (finding.verdict, finding.advice) == ("pass", "")
    assert finding.value <= max(finding.threshold, 1.0)


def test_the_worst_target_is_named():
    X, y = rows(1, 100, 4)
    X[33] *= 40
    both = np.column_stack([y, y, y])
    finding = leverage(examined(X, both, alpha=[1e4, 0.01, 1e4]))
    assert "for target 'y1'" in finding.meaning


def test_counts_do_not_hide_leverage():
    X, y = rows(1, 60, 4)
    X[33] *= 40
    counts = np.random.default_rng(2).integers(1, 3, 60)
    again = np.repeat(np.arange(60), counts)
    frequency = partial(examined, sample_weight=counts, weight_kind="frequency", alpha=0.01)
    assert leverage(frequency(X, y)).value == pytest.approx(
        leverage(examined(X[again], y[again], alpha=0.01)).value
    )
