"""Leave-group-out against refits without the rows of a group at the same Sα (M14)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
from criteria_oracles import ALL, assert_no_grid_is_better, assert_slopes, errors, every, left_out, values
from oracles import CASES, Problem, make

UNEVEN = np.repeat([4, 0, 2, 1, 5, 3], [1, 1, 2, 3, 4, 100])


def labels(pattern: str, n: int) -> np.ndarray:
    """Group labels of n rows, in no order."""
    plain = {
        "uneven": UNEVEN[:n],
        "pairs": np.arange(n) // 2,
        "three": np.arange(n) % 3,
        "huge": np.maximum(np.arange(n) - n // 2, 0),
        "nearly all": np.maximum(np.arange(n) - (n - 4), 0),
    }[pattern]
    return np.random.default_rng(1).permutation(plain)


def curve(problem: Problem, groups, **more):
    return problem.study(groups=groups, criterion="evidence", **more).risk["leave_group_out"]


@pytest.fixture(params=CASES)
def problem(request) -> Problem:
    return make(3, **CASES[request.param])


# --- values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["uneven", "pairs", "three", "huge", "nearly all"])
def test_it_is_what_refits_say(problem, pattern):
    groups = labels(pattern, len(problem.y))
    assert_allclose(values(curve(problem, groups), ALL), every(left_out, problem, ALL, groups), rtol=1e-9)


@pytest.mark.parametrize("kind", [scipy.sparse.csr_array, scipy.sparse.csc_matrix, scipy.sparse.coo_array])
@pytest.mark.parametrize("shape", [(25, 6), (12, 20)])
def test_sparse_rows(kind, shape):
    problem = make(5, *shape, weights="precision", free=1)
    mask = np.random.default_rng(0).random(shape) < 0.4
    problem = problem.with_(X=kind(problem.X * mask))
    groups = labels("uneven", shape[0])
    assert_allclose(values(curve(problem, groups), ALL), every(left_out, problem, ALL, groups), rtol=1e-9)


def test_one_huge_group_among_single_rows():
    problem = make(4, 300, 4, weights="precision", free=1)
    groups = labels("huge", 300)
    groups[np.random.default_rng(2).permutation(300)[:100]] = 0
    assert (groups == 0).sum() > 150
    alphas = [0.0, 0.05, 30.0]
    expected = every(left_out, problem, alphas, groups)
    assert_allclose(values(curve(problem, groups), alphas), expected, rtol=1e-9)


@pytest.mark.parametrize("shape", [(30, 4), (12, 20)])
def test_many_targets(shape):
    problem = make(6, *shape, t=40, weights="precision")
    groups = labels("uneven", shape[0])
    assert_allclose(values(curve(problem, groups), ALL), every(left_out, problem, ALL, groups), rtol=1e-9)


def test_float32_rows_are_those_numbers_in_float64():
    problem = make(7, 25, 5, weights="precision")
    rounded = problem.with_(X=problem.X.astype(np.float32), y=problem.y.astype(np.float32))
    groups = labels("uneven", 25)
    assert_allclose(values(curve(rounded, groups), ALL), every(left_out, rounded, ALL, groups), rtol=1e-9)


@pytest.mark.parametrize("shape", [(60, 30), (30, 60)])
def test_many_strengths_are_each_alone(shape):
    risk = curve(make(9, *shape, weights="precision"), labels("uneven", shape[0]))
    alphas = np.logspace(-8, 8, 120)
    assert_allclose(risk(alphas), [risk(alpha) for alpha in alphas], rtol=1e-10)
    assert_allclose(risk.derivative(alphas), [risk.derivative(a) for a in alphas], atol=1e-9)


@pytest.mark.parametrize("case", ["tall", "precision weights", "wide, precision, targets", "free columns"])
def test_groups_of_one_row_are_leave_one_out(case):
    problem = make(3, **CASES[case])
    study = problem.study(groups=np.arange(len(problem.y))[::-1], criterion="evidence")
    assert_allclose(study.risk["leave_group_out"](ALL), study.risk["loo"](ALL), rtol=1e-9)


def test_a_row_leaves_with_all_its_copies():
    """Frequency weights: the group goes whole, where leave-one-out takes one copy."""
    problem = make(3, 20, 5, weights="frequency")
    copies = problem.s.astype(int)
    X, y = np.repeat(problem.X, copies, axis=0), np.repeat(problem.y, copies)
    written_out = problem.with_(X=X, y=y, s=None, kind="precision")
    groups = labels("pairs", 20)
    apart = curve(written_out, np.repeat(groups, copies))
    assert_allclose(values(curve(problem, groups), ALL), values(apart, ALL), rtol=1e-9)
    single = problem.study(groups=np.arange(20), criterion="evidence")
    assert np.all(single.risk["leave_group_out"](0.1) > 1.01 * single.risk["loo"](0.1))


# --- labels -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        lambda codes: codes,
        lambda codes: codes * 17 - 40,
        lambda codes: codes / 7,
        lambda codes: list(codes),
        lambda codes: np.array(["ward c", "ward b", "a", "ward z", "", "Ω"])[codes],
        lambda codes: np.array(["c", "b", 3, "z", 4.5, ("x", 1)], dtype=object)[codes],
        lambda codes: pd.Series(np.array(list("qazxsw"))[codes], index=np.arange(25)[::-1]),
        lambda codes: pd.Categorical(np.array(list("qazxsw"))[codes]),
        lambda codes: codes[::-1].copy()[::-1],
    ],
    ids=["int", "far int", "float", "list", "text", "object", "Series", "Categorical", "strided"],
)
def test_labels_may_be_anything(name):
    problem = make(3, 25, 5, weights="precision")
    codes = labels("uneven", 25)
    expected = every(left_out, problem, ALL, codes)
    assert_allclose(values(curve(problem, name(codes)), ALL), expected, rtol=1e-9)


def test_order_of_rows_and_of_labels_does_not_matter():
    problem = make(3, 25, 5, weights="precision")
    codes, order = labels("uneven", 25), np.random.default_rng(5).permutation(25)
    shuffled = problem.with_(X=problem.X[order], y=problem.y[order], s=problem.s[order])
    renamed = np.random.default_rng(6).permutation(6)[codes]
    expected = curve(problem, codes)(ALL)
    assert_allclose(curve(shuffled, codes[order])(ALL), expected, rtol=1e-11)
    assert_allclose(curve(problem, renamed)(ALL), expected, rtol=1e-11)


def test_the_codes_are_kept_with_the_rows():
    codes = labels("uneven", 25)
    study = make(3, 25, 5).study(groups=np.array(list("qazxsw"))[codes])
    splits = study.path.fit.training.splits
    assert splits.source == "given"
    same = splits.groups[:, None] == splits.groups[None, :]
    assert_array_equal(same, codes[:, None] == codes[None, :])


def test_rows_without_weight_take_their_label_with_them():
    problem = make(3, 25, 5, weights="precision")
    groups = labels("uneven", 25)
    gone = (groups == 2) | (np.arange(25) == 7)
    s = np.where(gone, 0.0, problem.s)
    kept = problem.with_(X=problem.X[~gone], y=problem.y[~gone], s=s[~gone])
    expected = every(left_out, kept, ALL, groups[~gone])
    assert_allclose(values(curve(problem.with_(s=s), groups), ALL), expected, rtol=1e-9)


def test_rows_that_are_copies_are_found_and_leave_together():
    half = make(3, 20, 5)
    order = np.random.default_rng(0).permutation(np.repeat(np.arange(20), 2))
    problem = half.with_(X=half.X[order], y=half.y[order])
    study = problem.study(criterion="evidence")
    assert study.path.fit.training.splits.source == "found"
    expected = every(left_out, problem, ALL, order)
    assert_allclose(values(study.risk["leave_group_out"], ALL), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (np.arange(24), r"groups has shape \(24,\).*\(25,\)"),
        (np.zeros((25, 1)), r"groups has shape \(25, 1\)"),
        (np.zeros(25), "groups.*one label.*at least 2"),
        (np.where(np.arange(25) == 3, np.nan, 1.0), r"groups\[3\] is missing"),
        ([None if i == 4 else "a" for i in range(25)], r"groups\[4\] is missing"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(groups, words):
    with pytest.raises(es.InputError, match=words):
        make(3, 25, 5).study(groups=groups)


def test_without_groups_there_is_no_such_curve():
    problem = make(3, 25, 5)
    assert "leave_group_out" not in problem.study().risk
    with pytest.raises(es.InputError, match=r"leave_group_out.*groups"):
        problem.study(criterion="leave_group_out")


# --- where the others cannot know ---------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, "precision", "frequency"])
def test_infinite_where_one_group_alone_knows_a_free_column(weights):
    problem = make(8, 16, 4, free=1, weights=weights)
    groups = labels("pairs", 16)
    X = problem.X.copy()
    X[:, 3] = np.where(groups == 3, [1.0, 2.0] * 8, 0.0)
    problem = problem.with_(X=X)
    assert np.all(np.isinf(curve(problem, groups)(ALL)))
    assert np.all(np.isinf(every(left_out, problem, ALL, groups)))
    with pytest.raises(es.InputError, match=r"leave_group_out.*infinite.*evidence"):
        _ = problem.study(groups=groups, criterion="leave_group_out").choice


@pytest.mark.parametrize("weights", [None, "precision", "frequency"])
def test_finite_where_one_group_alone_knows_a_penalised_column(weights):
    """A refit without the group does not know the column and gives it no weight, also as α → 0."""
    problem = make(8, 16, 4, weights=weights)
    groups = labels("pairs", 16)
    X = problem.X.copy()
    X[:, 0] = np.where(groups == 3, [1.0, 2.0] * 8, 0.0)
    problem, small = problem.with_(X=X), [0.0, 1e-9, 1e-6, 1e-2, np.inf]
    assert_allclose(values(curve(problem, groups), small), every(left_out, problem, small, groups), rtol=1e-8)


@pytest.mark.parametrize("extra", [0, 1, 2])
@pytest.mark.parametrize("collinear", [False, True])
@pytest.mark.parametrize("n", [12, 40])
def test_others_that_are_hardly_more_than_there_are_free_weights(extra, collinear, n):
    """Nothing, or little, is left for the penalised columns to say; rounding must not say it as α → 0."""
    problem = make(3, n, 6, free=3, collinear_free=collinear, weights="precision")
    groups = np.maximum(np.arange(n) - (n - (4 - collinear) - extra), 0)
    small = [0.0, 1e-12, 1e-9, 1e-6, 1e-2, np.inf]
    assert_allclose(values(curve(problem, groups), small), every(left_out, problem, small, groups), rtol=1e-8)


def test_a_group_that_alone_has_more_than_one_free_level_is_infinite_for_all_targets():
    problem = make(8, 16, 4, t=2, free=2)
    groups = labels("three", 16)
    X = problem.X.copy()
    X[:, 2:] = 0.0
    X[np.flatnonzero(groups == 1)[:2], [2, 3]] = 1.0
    assert np.all(np.isinf(curve(problem.with_(X=X), groups)(0.5)))


# --- slopes, minima, shapes ---------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["uneven", "three"])
def test_slopes_and_minimum(problem, pattern):
    risk = curve(problem, labels(pattern, len(problem.y)))
    assert_slopes(risk)
    assert_no_grid_is_better(risk)


@pytest.mark.parametrize("shape", [(25, 5), (12, 20)])
def test_slopes_at_the_ends_are_flat(shape):
    risk = curve(make(3, *shape), labels("pairs", shape[0]))
    assert_allclose(risk.derivative([0.0, 1e-12, np.inf]), 0.0, atol=1e-7)


def test_the_choice_is_its_minimum():
    problem, groups = make(3, 25, 5), labels("pairs", 25)
    study = problem.study(groups=groups, criterion="leave_group_out")
    assert study.choice.criterion == "leave_group_out"
    assert study.alpha == study.risk["leave_group_out"].minimum.alpha
    around = study.alpha * np.array([0.9, 1.0, 1.1])
    assert np.argmin([left_out(problem, alpha, groups)[0] for alpha in around]) == 1


def test_unit_and_shapes():
    groups = labels("pairs", 25)
    one, three = curve(make(3, 25, 5), groups), curve(make(3, 25, 5, t=3), groups)
    assert one.unit == "half mean squared error"
    assert [np.shape(one(a)) for a in (None, 0.1, [0.1, 1.0])] == [(), (), (2,)]
    assert [np.shape(three(a)) for a in (None, 0.1, [0.1, 1.0])] == [(3,), (3,), (2, 3)]
    assert np.shape(three.derivative([0.1, 1.0])) == (2, 3)


# --- the oracle ---------------------------------------------------------------------------------------


def test_the_oracle_tells_groups_from_rows_and_one_strength_from_another():
    problem, groups = make(3, 25, 5, weights="precision"), labels("pairs", 25)
    truth = left_out(problem, 0.1, groups)
    assert not np.allclose(left_out(problem, 0.1, np.arange(25)), truth, rtol=1e-3)
    assert not np.allclose(left_out(problem, 0.11, groups), truth, rtol=1e-5)
    rest = groups != 0
    plain = problem.with_(X=problem.X[rest], y=problem.y[rest], s=problem.s[rest])
    by_hand = problem.y[~rest] - plain.study(alpha=0.1 * problem.s.sum() / problem.s[rest].sum()).predict(
        problem.X[~rest]
    )
    assert_allclose(errors(problem, 0.1, groups)[~rest, 0], by_hand, rtol=1e-9)


def test_the_helper_assertions_can_fail():
    class Wrong:
        minimum = make(3, 25, 5).study().risk["gcv"].minimum

        def __call__(self, alphas):
            return np.log(np.asarray(alphas) + 1e-20)

        def derivative(self, alphas):
            return np.full(len(alphas), 0.99)

    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_slopes(Wrong())
    with pytest.raises(AssertionError):
        assert_no_grid_is_better(Wrong())
