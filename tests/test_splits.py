"""Which rows leave together: folds are balanced, groups stay whole, held-out rows are nobody else's."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
from eigenshrink.data.splits import Splits
from oracles import make

PROBLEM = make(4, 40, 5)
UNEVEN = np.repeat(np.arange(9), [1, 1, 2, 2, 3, 3, 4, 8, 16])


def splits(**asked) -> Splits:
    return PROBLEM.study(**asked).path.fit.training.splits


# --- folds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folds", [2, 3, 7, 40])
def test_folds_differ_by_one_row_at_most(folds):
    sizes = np.bincount(splits(folds=folds).folds)
    assert len(sizes) == folds
    assert np.ptp(sizes) <= 1


def test_there_is_at_most_one_fold_per_row_and_per_group():
    assert splits(folds=1000).folds.max() == 39
    assert splits(folds=1000, groups=UNEVEN).folds.max() == 8


def test_groups_stay_whole_and_folds_even():
    found = splits(folds=3, groups=UNEVEN).folds
    for group in range(9):
        assert len(set(found[group == UNEVEN])) == 1
    assert_array_equal(np.sort(np.bincount(found)), [12, 12, 16])


def test_draws_repeat_and_differ_by_seed():
    assert_array_equal(splits().folds, splits().folds)
    assert_array_equal(splits().folds, splits(random_state=0).folds)
    assert not np.array_equal(splits().folds, splits(random_state=1).folds)
    first, second = (splits(random_state=np.random.default_rng(5)).folds for _ in range(2))
    assert_array_equal(first, second)
    assert (
        splits(random_state=np.random.RandomState(5)).seed
        == splits(random_state=np.random.RandomState(5)).seed
    )


def test_folds_are_not_blocks_of_the_table():
    assert np.all(np.bincount(splits(folds=2).folds[:20]) > 2)


# --- groups -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "labels",
    [
        [f"site {g}" for g in UNEVEN],
        (100 - UNEVEN).tolist(),
        pd.Series(UNEVEN).astype("category"),
        [datetime.date(2020, 1, 1 + int(g)) for g in UNEVEN],
        np.array([np.datetime64("2020-01-01") + g for g in UNEVEN]),
        UNEVEN > 4,
    ],
)
def test_labels_of_any_kind_mean_the_same_groups(labels):
    wanted = UNEVEN > 4 if np.asarray(labels).dtype == bool else UNEVEN
    found = splits(groups=labels)
    assert found.source == "given"
    assert_array_equal(found.groups[:, None] == found.groups, wanted[:, None] == wanted)


def test_rows_without_weight_take_their_groups_along():
    weight = np.where(UNEVEN == 7, 0.0, 1.0)
    study = PROBLEM.study(sample_weight=weight, groups=UNEVEN)
    assert_array_equal(np.bincount(study.path.fit.training.splits.groups), [1, 1, 2, 2, 3, 3, 4, 16])


def test_labels_that_cannot_be_compared_are_refused():
    with pytest.raises(es.InputError, match="groups holds labels that cannot be compared"):
        PROBLEM.study(groups=pd.Series([[1]] * 40))


def test_copies_of_rows_leave_together_without_being_told():
    twice = PROBLEM.with_(X=np.vstack([PROBLEM.X, PROBLEM.X]), y=np.tile(PROBLEM.y, 2))
    study = twice.study()
    assert study.path.fit.training.splits.source == "found"
    assert study.choice.criterion == "combined"
    assert "copies" in study.choice.reason
    loo = PROBLEM.study(criterion="loo").alpha
    assert_allclose(twice.study(criterion="leave_group_out").alpha, loo, rtol=1e-8)


def test_no_row_of_the_plain_problem_is_a_copy():
    found = splits()
    assert (found.groups, found.source) == (None, "")


# --- rows that are held out ---------------------------------------------------------------------------


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5])
def test_a_fraction_is_held_out_and_the_study_is_of_the_others(fraction):
    study = PROBLEM.study(validation=fraction)
    held = study.path.fit.training.splits.holdout
    assert len(held.y) == round(fraction * 40)
    assert study.facts.rows == 40 - len(held.y)
    both = np.vstack([study.path.fit.training.table.X, held.X])
    assert_array_equal(both[np.lexsort(both.T)], PROBLEM.X[np.lexsort(PROBLEM.X.T)])


def test_groups_are_held_out_whole():
    study = PROBLEM.study(validation=0.4, groups=UNEVEN)
    splits = study.path.fit.training.splits
    assert len(splits.groups) == study.facts.rows
    kept, held = (
        {tuple(row): group for row, group in zip(PROBLEM.X, UNEVEN, strict=True)}[tuple(row)]
        for row in (study.path.fit.training.table.X[0], splits.holdout.X[0])
    )
    assert kept != held
    inside = {tuple(row) for row in study.path.fit.training.table.X}
    for group in range(9):
        assert len({tuple(row) in inside for row in PROBLEM.X[group == UNEVEN]}) == 1


def test_copies_are_held_out_together():
    thrice = PROBLEM.with_(X=np.tile(PROBLEM.X, (3, 1)), y=np.tile(PROBLEM.y, 3))
    splits = thrice.study(validation=0.4).path.fit.training.splits
    held = {tuple(row) for row in splits.holdout.X}
    fitted = {tuple(row) for row in thrice.study(validation=0.4).path.fit.training.table.X}
    assert len(splits.holdout.y) == 3 * len(held) == 48
    assert not held & fitted
    assert splits.source == "found"


@pytest.mark.parametrize("kind", [np.asarray, scipy.sparse.csr_array])
def test_given_rows_judge(kind):
    held = make(5, 12, 5)
    curve = PROBLEM.study(validation=(kind(held.X), held.y)).risk["validation"]
    assert curve(0.1) == pytest.approx(PROBLEM.study(validation=(held.X, held.y)).risk["validation"](0.1))


def test_columns_of_held_out_rows_must_be_the_same():
    X = pd.DataFrame(PROBLEM.X, columns=list("abcde"))
    with pytest.raises(es.InputError, match=r"validation: its columns b, a, c.* are not those of X, a, b"):
        es.study(X, PROBLEM.y, validation=(X[list("bacde")], PROBLEM.y))
